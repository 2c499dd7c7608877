// SPDX-License-Identifier: MIT
// The text header of a .npy file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/array.hpp"

namespace overtake::data {

struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> extents;
};

/// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }": exactly these keys, each once, in any order.
/// Returns nothing and sets `problem` for any other text.
[[nodiscard]] std::optional<NpyHeader> parse_npy_header(std::string_view text, std::string& problem);

/// The element type of a NumPy type string such as "<f4", or nothing if it is not supported.
[[nodiscard]] std::optional<ElementType> element_type_of(std::string_view descr);

/// The NumPy type string of an element type.
[[nodiscard]] std::string_view descr_of(ElementType type);

}  // namespace overtake::data
