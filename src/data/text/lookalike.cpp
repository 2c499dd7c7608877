// SPDX-License-Identifier: MIT
#include "data/text/lookalike.hpp"

#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <array>

#include "data/text/date_text.hpp"

namespace overtake::data {

namespace {

constexpr std::array<std::string_view, 33> money_and_shares = {"%",
                                                               "\xE2\x80\xB0",
                                                               "$",
                                                               "\xE2\x82\xAC",
                                                               "\xC2\xA3",
                                                               "\xC2\xA5",
                                                               "\xE2\x82\xB9",
                                                               "\xE2\x82\xBD",
                                                               "\xE2\x82\xA9",
                                                               "\xE2\x82\xBA",
                                                               "\xE2\x82\xBF",
                                                               "\xC2\xA2",
                                                               "USD",
                                                               "EUR",
                                                               "GBP",
                                                               "CHF",
                                                               "JPY",
                                                               "CNY",
                                                               "INR",
                                                               "AUD",
                                                               "CAD",
                                                               "SEK",
                                                               "NOK",
                                                               "DKK",
                                                               "kr",
                                                               "R$",
                                                               "z\xC5\x82",
                                                               "K\xC4\x8D",
                                                               "Ft",
                                                               "lei",
                                                               "\xE5\x86\x86",
                                                               "\xD1\x80\xD1\x83\xD0\xB1.",
                                                               "\xD9\xAA"};
/// Units that follow a number.
constexpr std::array<std::string_view, 40> measures = {"\xC2\xB0",
                                                       "\xC2\xB0"
                                                       "C",
                                                       "\xC2\xB0"
                                                       "F",
                                                       "kg",
                                                       "g",
                                                       "mg",
                                                       "lb",
                                                       "lbs",
                                                       "oz",
                                                       "km",
                                                       "m",
                                                       "cm",
                                                       "mm",
                                                       "ft",
                                                       "in",
                                                       "h",
                                                       "hr",
                                                       "hrs",
                                                       "min",
                                                       "s",
                                                       "sec",
                                                       "ms",
                                                       "l",
                                                       "L",
                                                       "ml",
                                                       "mph",
                                                       "km/h",
                                                       "kW",
                                                       "kWh",
                                                       "W",
                                                       "V",
                                                       "Hz",
                                                       "kHz",
                                                       "MHz",
                                                       "GHz",
                                                       "GB",
                                                       "MB",
                                                       "KB",
                                                       "kB",
                                                       "k"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <typename List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// A number with a unit, cut in two.
struct WithUnit {
  std::string number;
  std::string unit;
};

std::optional<WithUnit> split_unit(std::string_view text) {
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const auto first = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_digit) - text.begin());
  if (first == text.size()) return std::nullopt;
  const auto last =
      text.size() - 1 - static_cast<std::size_t>(std::find_if(text.rbegin(), text.rend(), is_digit) - text.rbegin());
  const std::string_view before = trimmed(text.substr(sign, first - sign));
  const std::string_view after = trimmed(text.substr(last + 1));
  if (before.empty() == after.empty()) return std::nullopt;
  const std::string_view unit = before.empty() ? after : before;
  if (!holds(money_and_shares, unit) && !(before.empty() && holds(measures, unit))) return std::nullopt;
  return WithUnit{std::string(text.substr(0, sign)) + std::string(text.substr(first, last + 1 - first)),
                  std::string(unit)};
}

/// The number with thousands separators taken out, if that is what `separator` does in it.
bool reads_with(std::string_view text, char separator, char decimal) {
  std::string plain(text);
  if (!remove_thousands(plain, separator, decimal) || plain == text) return false;
  if (decimal == ',') {
    if (plain.find('.') != std::string::npos) return false;
    std::replace(plain.begin(), plain.end(), ',', '.');
  }
  double value = 0.0;
  return parse_number(plain, value);
}

bool reads_with_comma(std::string_view text) {
  std::string plain(text);
  if (std::count(plain.begin(), plain.end(), ',') != 1 || plain.find('.') != std::string::npos) return false;
  std::replace(plain.begin(), plain.end(), ',', '.');
  double value = 0.0;
  return parse_number(plain, value);
}

bool reads_with_point(std::string_view text) {
  double value = 0.0;
  return text.find('.') != std::string_view::npos && parse_number(text, value);
}

bool is_number(std::string_view text, const CellRules& rules) { return !rules.plain_number(text).empty(); }

/// The text with decimal digits of the other scripts in use written as 0 to 9; "" if it has none of them.
std::string with_ascii_digits(std::string_view text) {
  constexpr std::array<char32_t, 16> zeros = {0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6,  0xB66,
                                              0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0x17E0, 0xFF10};
  std::string plain;
  bool any = false;
  if (!utf8::is_valid(text.begin(), text.end())) return {};
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = at;
    const char32_t symbol = utf8::unchecked::next(at);
    const auto* zero =
        std::find_if(zeros.begin(), zeros.end(), [&](char32_t z) { return symbol >= z && symbol < z + 10; });
    if (zero == zeros.end()) {
      plain.append(begin, at);
    } else {
      plain += static_cast<char>('0' + (symbol - *zero));
      any = true;
    }
  }
  return any ? plain : std::string();
}

/// 1.5D+02: as Fortran writes double precision. Without point and sign it may as well be a code: 1D2.
bool has_fortran_exponent(std::string_view text) {
  std::string plain(text);
  const std::size_t mark = plain.find_first_of("dD");
  if (mark == std::string::npos || plain.find('.') > mark || mark + 1 == plain.size()) return false;
  if (plain[mark + 1] != '+' && plain[mark + 1] != '-') return false;
  plain[mark] = 'e';
  double value = 0.0;
  return parse_number(plain, value);
}

/// 10:30 PM.
bool is_twelve_hour_time(std::string_view text) {
  if (text.size() < 3) return false;
  std::string half(text.substr(text.size() - 2));
  std::transform(half.begin(), half.end(), half.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  if (half != "AM" && half != "PM") return false;
  const std::string_view clock = trimmed(text.substr(0, text.size() - 2));
  const bool digits = clock.find_first_not_of("0123456789:.") == std::string_view::npos;
  return digits && std::count(clock.begin(), clock.end(), ':') > 0 && is_digit(clock.front()) && is_digit(clock.back());
}

/// Numbers that no flag reads: of accountants, of typesetters, in groups of two digits.
std::optional<Lookalike> find_unreadable(std::string_view text, const CellRules& rules) {
  constexpr std::string_view en_dash = "\xE2\x80\x93";
  if (text.starts_with('(') && text.ends_with(')')) {
    const std::string_view inside = trimmed(text.substr(1, text.size() - 2));
    const auto parts = split_unit(inside);
    if (is_number(inside, rules) || (parts && is_number(parts->number, rules))) {
      return Lookalike{"a negative number in parentheses, which no flag reads", {}, {}};
    }
  }
  if (text.starts_with(en_dash) && is_number(text.substr(en_dash.size()), rules)) {
    return Lookalike{"a number with a dash for its minus, which no flag reads", {}, {}};
  }
  if (text.ends_with('-') && is_number(text.substr(0, text.size() - 1), rules)) {
    return Lookalike{"a number with its minus behind it, which no flag reads", {}, {}};
  }
  if (is_number(with_ascii_digits(text), rules)) {
    return Lookalike{"a number in digits of another script, which no flag reads", {}, {}};
  }
  if (has_fortran_exponent(text)) return Lookalike{"a number with Fortran's exponent D, which no flag reads", {}, {}};
  if (text.starts_with("=\"") && text.ends_with('"')) {
    return Lookalike{"a spreadsheet's formula for a text, which no flag reads", {}, {}};
  }
  if (is_twelve_hour_time(text)) return Lookalike{"a time with AM or PM, which no flag reads", {}, {}};
  std::string joined(text);
  const auto commas = std::count(joined.begin(), joined.end(), ',');
  std::erase(joined, ',');
  const std::size_t last = text.rfind(',');
  if (commas > 1 && is_number(joined, rules) && text.find_first_not_of("+-0123456789,.") == std::string_view::npos &&
      text.substr(last + 1, text.find('.', last) - last - 1).size() == 3) {
    return Lookalike{"a number in groups of two digits, which no flag reads", {}, {}};
  }
  return std::nullopt;
}

/// Other marks and separators. The decimal mark that is set is not doubted unless only another one makes a number.
std::optional<Lookalike> find_notation(std::string_view text, const Notation& notation) {
  const char decimal = notation.decimal;
  const bool other_decimal = decimal == '.' ? reads_with_comma(text) : reads_with_point(text);
  const char other = decimal == '.' ? ',' : '.';
  if (reads_with(text, other, decimal)) {
    if (!other_decimal)
      return Lookalike{"a number with thousands separators", fmt::format("--thousands {}", other), {}};
    return Lookalike{
        fmt::format("a number with a decimal {0} or with thousands separators", decimal == '.' ? "comma" : "point"),
        fmt::format("--decimal {0} or --thousands {0}", other),
        {}};
  }
  if (other_decimal)
    return Lookalike{decimal == '.' ? "a number with a decimal comma" : "a number with a decimal point",
                     fmt::format("--decimal '{}'", other),
                     {}};
  for (const char separator : {' ', '\'', '_'}) {
    if (!reads_with(text, separator, decimal) && !reads_with(text, separator, other)) continue;
    const std::string flag = separator == ' '    ? "--thousands ' '"
                             : separator == '\'' ? "--thousands \"'\""
                                                 : "--thousands _";
    return Lookalike{"a number with thousands separators",
                     reads_with(text, separator, decimal) ? flag : fmt::format("{} --decimal {}", flag, other),
                     {}};
  }
  if (reads_with(text, decimal, other)) {
    return Lookalike{decimal == '.' ? "a number with thousands points" : "a number with thousands commas",
                     fmt::format("--thousands {} --decimal {}", decimal, other),
                     {}};
  }
  return std::nullopt;
}

}  // namespace

bool is_money(std::string_view unit) {
  const bool share = unit == "%" || unit == "\xE2\x80\xB0" || unit == "\xD9\xAA";
  return is_money_or_share(unit) && !share;
}

bool is_money_or_share(std::string_view unit) { return holds(money_and_shares, unit); }

std::optional<Lookalike> find_lookalike(std::string_view text, const CellRules& rules) {
  constexpr std::size_t longest = 48;
  text = trimmed(text);
  if (text.size() > longest || (std::none_of(text.begin(), text.end(), is_digit) && with_ascii_digits(text).empty())) {
    return std::nullopt;
  }
  if (auto found = find_notation(text, rules.notation())) return found;
  if (looks_like_iso_date(text)) return Lookalike{"an ISO 8601 date, but is no day of the calendar", {}, {}};
  if (looks_like_date(text)) {
    const bool ruled = rules.notation().dates != DateOrder::iso || !rules.notation().date_format.empty();
    if (ruled) return Lookalike{"a date, but fits neither --dates nor the calendar", {}, {}};
    return Lookalike{"a date that is not ISO 8601", "--dates dmy, mdy, ymd or a format such as '%d %b %Y'", {}};
  }
  if (auto found = find_unreadable(text, rules)) return found;
  const std::optional<WithUnit> parts = split_unit(text);
  if (!parts) return std::nullopt;
  const std::string unit_flag = fmt::format("--units '{}'", parts->unit);
  const std::string what = is_money_or_share(parts->unit) ? fmt::format("a number with {}", parts->unit)
                                                          : fmt::format("a number with the unit {}", parts->unit);
  if (!rules.plain_number(parts->number).empty()) return Lookalike{what, unit_flag, parts->unit};
  const auto inner = find_notation(parts->number, rules.notation());
  if (!inner) return std::nullopt;
  return Lookalike{what + " (" + inner->what + ")", unit_flag + " and " + inner->flags, parts->unit};
}

}  // namespace overtake::data
