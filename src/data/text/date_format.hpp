// SPDX-License-Identifier: MIT
// Dates by a format of strptime(3), and the calendar.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/table.hpp"

namespace overtake::data {

inline constexpr double day_seconds = 86400.0;

/// Days since 1970-01-01; nothing for no day of the calendar.
[[nodiscard]] std::optional<double> day_number(int year, int month, int day);

/// The days of a text that the format reads to its end; names are English.
[[nodiscard]] std::optional<double> parse_format(std::string_view text, const std::string& format);

/// Adds the days of a date in digits alone, as notation.date_format (which must give day, month and year, or nothing
/// is) writes it to the letter: 20241231 with %Y%m%d. False if `text` is none.
[[nodiscard]] bool parse_compact_day(std::string_view text, const Notation& notation, std::vector<double>& days);

/// Throws UsageError for a date format that strptime(3) could not fill a date from.
void check_date_rule(const Notation& notation);

}  // namespace overtake::data
