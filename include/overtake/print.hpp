// SPDX-License-Identifier: MIT
// Arrays as text, in NumPy's manner.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "overtake/array.hpp"

namespace overtake {

/// How to_string() writes. The defaults are NumPy's.
struct PrintOptions {
  int precision = 8;              ///< most digits behind the point
  std::int64_t threshold = 1000;  ///< arrays of more elements are summarised with ...
  std::int64_t edge = 3;          ///< elements at each end of an axis that a summary shows
  int width = 75;                 ///< of a line
  int indent = 0;                 ///< of the lines after the first
};

/// The values as nested lists: "[[1. , 2.5],\n [3. , 4. ]]"; columns are aligned, each number has as many digits as
/// tell it from its neighbours. Evaluates, and reads no more than is shown. Throws UsageError for an undefined array,
/// and where values cannot be read (in a compiled step).
[[nodiscard]] std::string to_string(const Array& array, const PrintOptions& options = {});

/// "array([1., 2.], dtype=float32, shape=(2,), device=cpu)": the values of to_string(), then what the array is.
std::ostream& operator<<(std::ostream& out, const Array& array);

}  // namespace overtake
