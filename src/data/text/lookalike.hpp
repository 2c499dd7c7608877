// SPDX-License-Identifier: MIT
// Cells that look like numbers or dates in a notation that is not set: never guessed, but named.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/text/cell.hpp"

namespace overtake::data {

/// What a cell seems to be written in.
struct Lookalike {
  /// "a number with a decimal comma", for messages.
  std::string what;
  /// The flags of the tool that would read it: "--decimal ,".
  std::string flags;
  /// A unit ("kg", "$") round a number; empty: none. Cells of one column with different units are words.
  std::string unit;
};

/// Nothing for a cell that is only a word. `text` is no number under `rules`.
[[nodiscard]] std::optional<Lookalike> find_lookalike(std::string_view text, const CellRules& rules);

/// True for signs of money: a number beside one is the same amount as the number alone. Not so 5 km, 5 k, 5 %.
[[nodiscard]] bool is_money(std::string_view unit);

/// True for a unit that says by itself that a number stands beside it: %, $, EUR; not so "m" or "A".
[[nodiscard]] bool is_money_or_share(std::string_view unit);

}  // namespace overtake::data
