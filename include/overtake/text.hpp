// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

/// Small help for programs that talk to people.
namespace overtake::text {

/// The entry of `names` that `word` most likely misspells, by edit distance; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> names);

/// Text from a file as a terminal may show it. What a terminal obeys instead of showing it is spelt out: control
/// characters and bytes that are no UTF-8 as \xNN, controls of Unicode (the second set, line ends, direction of
/// writing) as \uNNNN. Line ends ('\n') and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);
/// Likewise, with line ends and tabs as \n and \t: fit for one line, a cell of a table.
[[nodiscard]] std::string printable_line(std::string_view text);

}  // namespace overtake::text
