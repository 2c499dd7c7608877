// SPDX-License-Identifier: MIT
// What the text of one table cell means.
#pragma once

#include <cstdint>
#include <string_view>

namespace overtake::data {

enum class CellKind : std::uint8_t { missing, number, text };

struct Cell {
  CellKind kind = CellKind::missing;
  double number = 0.0;  ///< NaN unless kind is number
};

/// Interprets a cell; `decimal` is '.' or ','. Independent of the locale. A number too large for double is infinite.
[[nodiscard]] Cell parse_cell(std::string_view text, char decimal);

/// True for the empty cell and the missing words.
[[nodiscard]] bool is_missing(std::string_view text) noexcept;

}  // namespace overtake::data
