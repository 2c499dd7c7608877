// SPDX-License-Identifier: MIT
#include "data/text/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "data/table/message.hpp"
#include "data/text/date_format.hpp"
#include "data/text/date_text.hpp"
#include "overtake/error.hpp"
#include "platform/decimal.hpp"

namespace overtake {

std::span<const std::string_view> missing_words() noexcept {
  static constexpr std::array<std::string_view, 11> words = {"NA",   "N/A",  "n/a",  "NaN",  "nan", "-nan",
                                                             "null", "NULL", "#N/A", "<NA>", "?"};
  return words;
}

namespace data {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 7> blanks = {
    " ", "\t", "\xC2\xA0", "\xE2\x80\x87", "\xE2\x80\xAF", "\xEF\xBB\xBF", "\xE2\x80\x8B"};
constexpr std::string_view unicode_minus = "\xE2\x88\x92";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

/// Takes one of the units off either end, behind or before the sign; returns which one was there, or -1.
int remove_unit(std::string& text, const std::vector<std::string>& units) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::string& unit = units[i];
    if (text.size() > unit.size() && text.ends_with(unit)) {
      text = trimmed(std::string_view(text).substr(0, text.size() - unit.size()));
      return static_cast<int>(i);
    }
    const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    if (text.size() > sign + unit.size() && text.compare(sign, unit.size(), unit) == 0) {
      const std::string rest(trimmed(std::string_view(text).substr(sign + unit.size())));
      text.resize(sign);
      text += rest;
      return static_cast<int>(i);
    }
  }
  return -1;
}

void check(const Notation& notation) {
  if (notation.decimal != '.' && notation.decimal != ',') {
    throw UsageError(fmt::format("the decimal mark {} is not known", quote(std::string(1, notation.decimal))),
                     "Use '.' or ','.");
  }
  if (notation.thousands.size() > 1 ||
      (!notation.thousands.empty() &&
       std::string_view(",. '_").find(notation.thousands[0]) == std::string_view::npos)) {
    throw UsageError(fmt::format("the thousands separator {} is not known", quote(notation.thousands)),
                     "Use one of , . ' _ or a space (which stands for no-break spaces too).");
  }
  if (!notation.thousands.empty() && notation.thousands[0] == notation.decimal) {
    throw UsageError(
        fmt::format("{} cannot be the decimal mark and the thousands separator", quote(notation.thousands)),
        "Give the other one too: --decimal , --thousands . reads 1.234,5.");
  }
  for (const std::string& unit : notation.units) {
    if (!unit.empty() && std::none_of(unit.begin(), unit.end(), is_digit)) continue;
    throw UsageError(fmt::format("the unit {} is not known", quote(unit)), "A unit has letters or signs, no digits.");
  }
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view blank : blanks) {
      if (text.starts_with(blank)) text.remove_prefix(blank.size()), again = true;
      if (text.ends_with(blank)) text.remove_suffix(blank.size()), again = true;
    }
  }
  return text;
}

bool parse_number(std::string_view text, double& value) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) return false;
  }
  if (text.empty()) return false;
  const auto [stop, error] = platform::decimal_from_chars(text.data(), text.data() + text.size(), value);
  if (stop != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  return !std::isnan(value);
}

bool is_beyond_whole(std::string_view text) noexcept {
  constexpr std::string_view largest = "9007199254740992";  // 2^53
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  while (text.starts_with('0')) text.remove_prefix(1);
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  return text.size() > largest.size() || (text.size() == largest.size() && text > largest);
}

bool remove_thousands(std::string& text, char separator, char decimal) {
  if (separator == ' ') {
    for (const std::string_view blank : blanks) replace_all(text, blank, " ");
  }
  if (separator == '\'') replace_all(text, "\xE2\x80\x99", "'");
  const std::size_t begin = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  std::size_t end = begin;
  while (end < text.size() && (is_digit(text[end]) || text[end] == separator)) ++end;
  std::string digits;
  std::size_t group = 0;
  std::size_t groups = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] != separator) {
      digits += text[i];
      ++group;
      continue;
    }
    if (groups == 0 ? group < 1 || group > 3 : group != 3) return false;
    ++groups;
    group = 0;
  }
  if (groups > 0 && group != 3) return false;
  if (groups > 0 && digits.starts_with('0')) return false;  // 0.123 is no number of thousands
  if (text.find(separator, end) != std::string::npos) return false;
  if (end < text.size() && text[end] != decimal && text[end] != 'e' && text[end] != 'E') return groups == 0;
  text.replace(begin, end - begin, digits);
  return true;
}

CellRules::CellRules(Notation notation) : notation_(std::move(notation)) {
  check(notation_);
  check_date_rule(notation_);
  plain_ = notation_.decimal == '.' && notation_.thousands.empty() && notation_.units.empty();
  for (const std::string& word : notation_.missing.value_or(std::vector<std::string>{})) {
    numeric_missing_ = numeric_missing_ || std::any_of(word.begin(), word.end(), is_digit) || word == "inf";
    double value = 0.0;
    const std::string plain = plain_number(word);
    if (!plain.empty() && parse_number(plain, value)) missing_values_.push_back(value);
  }
}

bool CellRules::is_missing_word(std::string_view text, bool quoted) const {
  if (notation_.missing)
    return std::find(notation_.missing->begin(), notation_.missing->end(), text) != notation_.missing->end();
  constexpr std::size_t longest = 4;
  if (quoted || text.size() > longest) return false;
  const auto words = missing_words();
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool CellRules::is_missing(std::string_view text, bool quoted) const {
  text = trimmed(text);
  return text.empty() || is_missing_word(text, quoted);
}

std::string CellRules::plain_number(std::string_view text) const { return find_number(text).text; }

CellRules::PlainNumber CellRules::find_number(std::string_view text) const {
  int unit = -1;
  std::string plain(trimmed(text));
  replace_all(plain, unicode_minus, "-");
  if (!plain_) {
    unit = remove_unit(plain, notation_.units);
    if (!notation_.thousands.empty() && !remove_thousands(plain, notation_.thousands[0], notation_.decimal)) return {};
    if (notation_.decimal == ',') {
      if (plain.find('.') != std::string::npos) return {};
      std::replace(plain.begin(), plain.end(), ',', '.');
    }
  }
  double value = 0.0;
  if (!parse_number(plain, value)) return {};
  return {std::move(plain), unit};
}

Cell CellRules::as_number(double value, int unit) const {
  const bool missing = std::find(missing_values_.begin(), missing_values_.end(), value) != missing_values_.end();
  if (missing) return {CellKind::missing, not_a_number};
  return {CellKind::number, value, unit};
}

Cell CellRules::parse(std::string_view text, bool quoted) const {
  text = trimmed(text);
  if (text.empty() || (numeric_missing_ && is_missing_word(text, quoted))) return {CellKind::missing, not_a_number};
  double value = 0.0;
  if (plain_ && parse_number(text, value)) return as_number(value, -1);
  if (is_missing_word(text, quoted)) return {CellKind::missing, not_a_number};
  if (!plain_ || text.find(unicode_minus) != std::string_view::npos) {
    const PlainNumber plain = find_number(text);
    if (!plain.text.empty() && parse_number(plain.text, value)) return as_number(value, plain.unit);
  }
  if (parse_day(text, notation_, value)) return {CellKind::day, value};
  return {CellKind::text, not_a_number};
}

}  // namespace data

}  // namespace overtake
