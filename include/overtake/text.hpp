// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Small help for programs that talk to people.
namespace overtake::text {

/// The entry of `names` that `word` most likely misspells, by edit distance; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> names);

/// Throws UsageError, naming the nearest, unless `value` is one of `choices`; the message begins with `what`.
void check_choice(std::string_view what, std::string_view value, std::span<const std::string> choices);

/// The number that all of a text is, in whatever locale: a decimal point, an exponent or not, no blanks and no '+';
/// "inf" and "nan" are numbers. Nothing for every other text, and for numbers out of the range of a double.
[[nodiscard]] std::optional<double> number(std::string_view text);

/// Text from a file as a terminal may show it. What a terminal obeys instead of showing it is spelt out: control
/// characters and bytes that are no UTF-8 as \xNN, controls of Unicode (the second set, line ends, direction of
/// writing) as \uNNNN. Line ends ('\n') and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);
/// Likewise, with line ends and tabs as \n and \t: fit for one line, a cell of a table.
[[nodiscard]] std::string printable_line(std::string_view text);

}  // namespace overtake::text
