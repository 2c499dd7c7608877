// SPDX-License-Identifier: MIT
// Dates and times in cells.
#pragma once

#include <string>
#include <string_view>

#include "overtake/data/table.hpp"

namespace overtake::data {

/// Days since 1970-01-01 (UTC; a time without zone counts as UTC, a time without date as its share of a day) of an ISO
/// 8601 date, time or both, or of a date as `notation` orders or formats it. False if `text` is none of these, or no
/// day of the calendar.
[[nodiscard]] bool parse_day(std::string_view text, const Notation& notation, double& days);

/// True for text in the form of an ISO 8601 date (four, two and two digits), whether there is such a day or not.
[[nodiscard]] bool looks_like_iso_date(std::string_view text);

/// True if `text` is a date in some other order or with a month's name: 31.12.2024, 12/31/24, 3/4, 5 Jan 2024. Which
/// order, it does not say.
[[nodiscard]] bool looks_like_date(std::string_view text);

/// Days since 1970-01-01 as ISO 8601: "2024-12-31", with the time where it is not midnight; "23:59:59" where the days
/// are less than one.
[[nodiscard]] std::string day_text(double days);

/// True for a time without a date: "23:59".
[[nodiscard]] bool is_time_of_day(std::string_view text);

}  // namespace overtake::data
