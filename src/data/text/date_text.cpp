// SPDX-License-Identifier: MIT
#include "data/text/date_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/nearest.hpp"
#include "data/text/date_format.hpp"

namespace overtake::data {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes text off its front, piece by piece.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::size_t digits() const {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    return count;
  }
  /// A whole number of `least` to `most` digits.
  std::optional<int> number(std::size_t least, std::size_t most) {
    const std::size_t count = digits();
    if (count < least || count > most) return std::nullopt;
    int value = 0;
    std::from_chars(rest_.data(), rest_.data() + count, value);
    rest_.remove_prefix(count);
    return value;
  }
  /// One of the characters of `choices`; 0 if none.
  char one_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return '\0';
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// "23:59", "23:59:59", "23:59:59.25" as seconds.
std::optional<double> scan_time(Scanner& scanner) {
  const auto hour = scanner.number(1, 2);
  if (!hour || *hour > 24 || scanner.one_of(":") == '\0') return std::nullopt;
  const auto minute = scanner.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  double seconds = *hour * 3600.0 + *minute * 60.0;
  if (scanner.one_of(":") != '\0') {
    const auto second = scanner.number(2, 2);
    if (!second || *second > 60) return std::nullopt;
    seconds += *second;
    if (scanner.one_of(".,") != '\0') {
      double unit = 0.1;
      if (scanner.digits() == 0) return std::nullopt;
      while (const auto digit = scanner.digits() > 0 ? std::optional(scanner.one_of("0123456789")) : std::nullopt) {
        seconds += (*digit - '0') * unit;
        unit /= 10;
      }
    }
  }
  return seconds;
}

/// "", "Z", "+02:00", "-0530" as seconds to take off.
std::optional<double> scan_zone(Scanner& scanner) {
  if (scanner.done() || scanner.one_of("Z") != '\0') return 0.0;
  const char sign = scanner.one_of("+-");
  if (sign == '\0') return std::nullopt;
  const auto hours = scanner.number(2, 4);
  if (!hours) return std::nullopt;
  int minutes = 0;
  int whole = *hours;
  if (whole > 99) {
    minutes = whole % 100;
    whole /= 100;
  } else if (scanner.one_of(":") != '\0') {
    const auto more = scanner.number(2, 2);
    if (!more) return std::nullopt;
    minutes = *more;
  }
  if (whole > 14 || minutes > 59) return std::nullopt;
  return (sign == '-' ? -1.0 : 1.0) * (whole * 3600.0 + minutes * 60.0);
}

/// What follows a date: nothing, or a time of the day with or without zone. In seconds.
std::optional<double> scan_rest(Scanner& scanner) {
  if (scanner.done()) return 0.0;
  if (scanner.one_of("T ") == '\0') return std::nullopt;
  const auto time = scan_time(scanner);
  if (!time) return std::nullopt;
  const auto zone = scan_zone(scanner);
  if (!zone || !scanner.done()) return std::nullopt;
  return *time - *zone;
}

std::optional<double> parse_iso(std::string_view text) {
  if (Scanner alone(text); text.find(':') <= 2) {
    const auto time = scan_time(alone);
    return time && alone.done() ? std::optional(*time / day_seconds) : std::nullopt;
  }
  Scanner scanner(text);
  const auto year = scanner.number(4, 4);
  if (!year || scanner.one_of("-") == '\0') return std::nullopt;
  const auto month = scanner.number(2, 2);
  if (!month) return std::nullopt;
  int day = 1;  // a month alone: its first day
  if (scanner.one_of("-") != '\0') {
    const auto number = scanner.number(2, 2);
    if (!number) return std::nullopt;
    day = *number;
  } else if (!scanner.done()) {
    return std::nullopt;
  }
  const auto days = day_number(*year, *month, day);
  const auto seconds = scan_rest(scanner);
  return days && seconds ? std::optional(*days + *seconds / day_seconds) : std::nullopt;
}

/// Three numbers between equal separators, and the separator.
struct Parts {
  std::array<int, 3> number{};
  std::array<std::size_t, 3> digits{};
};
std::optional<Parts> scan_parts(Scanner& scanner) {
  Parts parts;
  char separator = '\0';
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0) {
      const char found = scanner.one_of("./-");
      if (found == '\0' || (i == 2 && found != separator)) return std::nullopt;
      separator = found;
    }
    parts.digits[i] = scanner.digits();
    const auto number = scanner.number(1, 4);
    if (!number || parts.digits[i] == 3) return std::nullopt;
    parts.number[i] = *number;
  }
  return parts;
}

std::optional<double> parse_ordered(std::string_view text, DateOrder order) {
  Scanner scanner(text);
  const auto parts = scan_parts(scanner);
  if (!parts) return std::nullopt;
  const std::size_t year_at = order == DateOrder::year_month_day ? 0 : 2;
  const std::size_t month_at = order == DateOrder::month_day_year ? 0 : 1;
  const std::size_t day_at = 3 - year_at - month_at;
  if (parts->digits[month_at] > 2 || parts->digits[day_at] > 2 || parts->digits[year_at] == 1) return std::nullopt;
  int year = parts->number[year_at];
  if (parts->digits[year_at] == 2) year += year < 69 ? 2000 : 1900;  // as strptime's %y
  const auto days = day_number(year, parts->number[month_at], parts->number[day_at]);
  const auto seconds = scan_rest(scanner);
  return days && seconds ? std::optional(*days + *seconds / day_seconds) : std::nullopt;
}

/// True if the only word of `text` is a month's name or its first three letters.
bool has_month_name(std::string_view text) {
  constexpr std::array<std::string_view, 13> months = {"january",  "february", "march",  "april",     "may",
                                                       "june",     "july",     "august", "september", "october",
                                                       "november", "december", "sept"};
  std::vector<std::string> words(1);
  for (const char c : text) {
    const char lower = detail::ascii_lower(c);
    if (lower >= 'a' && lower <= 'z') {
      words.back() += lower;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (words.size() != 1 || words[0].size() < 3) return false;
  for (const std::string_view month : months) {
    if (words[0] == month || (words[0].size() == 3 && month.starts_with(words[0]))) return true;
  }
  return false;
}

/// True if every word is of a clock or a calendar: months, weekdays, AM, PM, T, Z, names of zones.
bool has_only_date_words(std::string_view text) {
  constexpr std::array<std::string_view, 18> others = {"am",  "pm",  "t",   "z",   "utc", "gmt", "cet", "cest", "est",
                                                       "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "bst",  "th"};
  constexpr std::array<std::string_view, 7> weekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                                        "friday", "saturday", "sunday"};
  std::string word;
  const auto known = [&] {
    if (word.empty() || std::find(others.begin(), others.end(), word) != others.end() || has_month_name(word))
      return true;
    return word.size() >= 3 &&
           std::any_of(weekdays.begin(), weekdays.end(), [&](std::string_view day) { return day.starts_with(word); });
  };
  for (const char c : text) {
    const char lower = detail::ascii_lower(c);
    if (lower >= 'a' && lower <= 'z') {
      word += lower;
      continue;
    }
    if (static_cast<unsigned char>(c) >= 0x80 || !known()) return false;
    word.clear();
  }
  return known();
}

/// Fri Jan 5 10:00:00 2024, 20240105T100000Z, 2024-01-05 10:00:00 UTC.
bool is_made_of_date_words(std::string_view text) {
  // A letter at the start is rather a code's: T-1234-56.
  const auto word = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(),
                                                              [](char c) {
                                                                const char lower = detail::ascii_lower(c);
                                                                return lower >= 'a' && lower <= 'z';
                                                              }) -
                                             text.begin());
  if (word == 1 || word == 2) return false;
  std::size_t numbers = 0;
  std::size_t letters = 0;
  std::size_t largest = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = is_digit(text[i]);
    run = digit ? run + 1 : 0;
    largest = std::max(largest, run);
    numbers += digit && run == 1 ? 1 : 0;
    const char lower = detail::ascii_lower(text[i]);
    letters += lower >= 'a' && lower <= 'z' ? 1 : 0;
    if (!digit && (lower < 'a' || lower > 'z') && std::string_view(" ,.:/-+").find(text[i]) == std::string_view::npos)
      return false;
  }
  const bool year = largest == 4 || largest == 8;
  return letters > 0 && numbers >= 2 && year && has_only_date_words(text);
}

}  // namespace

bool parse_day(std::string_view text, const Notation& notation, double& days) {
  constexpr std::size_t shortest = 4;
  constexpr std::size_t longest = 64;
  if (text.size() < shortest || text.size() > longest) return false;
  std::optional<double> found = is_digit(text.front()) ? parse_iso(text) : std::nullopt;
  if (!found && notation.dates != DateOrder::iso) found = parse_ordered(text, notation.dates);
  if (!found && !notation.date_format.empty()) found = parse_format(text, notation.date_format);
  if (found) days = *found;
  return found.has_value();
}

bool looks_like_iso_date(std::string_view text) {
  Scanner scanner(text);
  const bool date = scanner.number(4, 4) && scanner.one_of("-") != '\0' && scanner.number(2, 2) &&
                    scanner.one_of("-") != '\0' && scanner.number(2, 2);
  return date && scan_rest(scanner).has_value();
}

bool looks_like_date(std::string_view text) {
  constexpr std::size_t longest = 40;
  if (text.size() > longest || text.empty()) return false;
  Scanner scanner(text);
  if (const auto parts = scan_parts(scanner)) {
    const auto plausible = [](int number) { return number >= 1 && number <= 31; };
    const bool year_first = parts->digits[0] == 4;
    const bool day_and_month = plausible(parts->number[1]) && plausible(parts->number[year_first ? 2 : 0]);
    const bool one_year = (parts->digits[0] == 4) != (parts->digits[2] == 4) || parts->digits[2] == 2;
    if (day_and_month && one_year && parts->digits[1] <= 2) {
      const bool ends =
          scanner.done() || std::string_view(" ,T").find(scanner.rest().front()) != std::string_view::npos;
      return ends && has_only_date_words(text);
    }
    return false;
  }
  Scanner pair(text);
  const auto a = pair.number(1, 2);
  const bool slash = pair.one_of("/") != '\0';
  const auto b = pair.number(1, 2);
  if (a && slash && b && pair.done()) return *a >= 1 && *b >= 1 && *a <= 31 && *b <= 31;
  std::size_t digits = 0;
  for (const char c : text) digits += is_digit(c) ? 1 : 0;
  return (digits >= 3 && digits <= 14 && has_month_name(text)) || is_made_of_date_words(text);
}

std::string day_text(double days) {
  const double whole = std::floor(days);
  const auto seconds = static_cast<int>(std::lround((days - whole) * day_seconds));
  std::string time = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (whole == 0 && seconds > 0) return time;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(static_cast<int>(whole)))};
  const std::string text = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return seconds > 0 ? text + "T" + time : text;
}

bool is_time_of_day(std::string_view text) {
  return text.find(':') <= 2 && text.find_first_of("-/") == std::string_view::npos;
}

}  // namespace overtake::data
