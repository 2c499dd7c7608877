// SPDX-License-Identifier: MIT
#include "data/text/date_format.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>

#include "data/table/message.hpp"
#include "overtake/error.hpp"
#include "platform/time_text.hpp"

namespace overtake::data {

namespace {

/// What a format of strptime fills in.
struct FormatParts {
  bool known = true;  // every directive is one whose value is used
  bool year = false, month = false, day = false, hour = false, minute = false, half = false;
};

FormatParts parts_of(const std::string& format) {
  FormatParts parts;
  const auto has = [](std::string_view list, char directive) { return list.find(directive) != std::string_view::npos; };
  for (std::size_t at = format.find('%'); at != std::string::npos; at = format.find('%', at + 2)) {
    const char directive = at + 1 < format.size() ? format[at + 1] : '?';
    // Weeks, centuries and names of zones are read by strptime and then dropped; names of weekdays add nothing.
    parts.known = parts.known && has("aAbBcdDeFhHIjklmMnpPrRsStTxXyYz%", directive);
    parts.year = parts.year || has("cDFsxyY", directive);
    parts.month = parts.month || has("bBcDFhjmsx", directive);
    parts.day = parts.day || has("cdDeFjsx", directive);
    parts.hour = parts.hour || has("cHIklrRsTX", directive);
    parts.minute = parts.minute || has("MS", directive);
    parts.half = parts.half || has("pP", directive);
  }
  return parts;
}

}  // namespace

std::optional<double> day_number(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<double> parse_format(std::string_view text, const std::string& format) {
  const std::optional<platform::TimeRead> read = platform::read_time(text, format);
  if (!read) return std::nullopt;
  const std::tm& time = read->time;
  const auto days = day_number(time.tm_year + 1900, time.tm_mon + 1, time.tm_mday);
  if (!days) return std::nullopt;
  const double seconds = time.tm_hour * 3600.0 + time.tm_min * 60.0 + time.tm_sec - read->seconds_east;
  return *days + seconds / day_seconds;
}

bool parse_compact_day(std::string_view text, const Notation& notation, std::vector<double>& days) {
  const FormatParts parts = parts_of(notation.date_format);
  if (!parts.day || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const std::optional<platform::TimeRead> read = platform::read_time(text, notation.date_format);
  std::array<char, 64> again{};
  if (!read || std::strftime(again.data(), again.size(), notation.date_format.c_str(), &read->time) == 0) return false;
  const auto found = parse_format(text, notation.date_format);
  if (!found || again.data() != std::string(text)) return false;
  days.push_back(*found);
  return true;
}

void check_date_rule(const Notation& notation) {
  const std::string& format = notation.date_format;
  if (format.empty()) return;
  const FormatParts parts = parts_of(format);
  const bool date = parts.year && (parts.month || !parts.day);
  const bool no_date = !parts.year && !parts.month && !parts.day;
  const bool half_day = format.find("%I") != std::string::npos || format.find("%l") != std::string::npos ||
                        format.find("%r") != std::string::npos;
  const bool clock = parts.hour || (!parts.minute && !parts.half);
  if (parts.known && clock && (date || (no_date && parts.hour)) && (!parts.half || half_day)) return;
  throw UsageError(
      fmt::format("the date format {} is not known, or does not say which day or which time it is", quote(format)),
      "Use ymd, dmy, mdy, or a format of strptime with a year, and a month if it has a day: '%d %b %Y', '%Y%m%d', "
      "'%m/%d/%Y "
      "%I:%M %p'.");
}

}  // namespace overtake::data
