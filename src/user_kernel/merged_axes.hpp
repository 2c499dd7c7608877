// SPDX-License-Identifier: MIT
// Arrays that broadcast together, seen with as few axes as possible.
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/shape.hpp"
#include "user_kernel/element_text.hpp"

namespace overtake::user_kernel {

struct MergedAxes {
  std::vector<std::int64_t> extents;               ///< outermost first; at least one
  std::vector<std::vector<std::int64_t>> strides;  ///< of each array; 0 where it is repeated
};

/// Of row-major arrays of these shapes, each of which broadcasts to `shape`.
[[nodiscard]] MergedAxes merged_axes(const Shape& shape, const std::vector<Shape>& arrays);

/// How array number `array` is read: flat where it is as large as the result, else by strides.
[[nodiscard]] Access access_of(const MergedAxes& axes, std::size_t array);

}  // namespace overtake::user_kernel
