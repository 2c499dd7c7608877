// SPDX-License-Identifier: MIT
#include "data/cell.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

#include "core/nearest.hpp"
#include "overtake/data_table.hpp"

namespace overtake {

std::span<const std::string_view> missing_words() noexcept {
  static constexpr std::array<std::string_view, 5> words = {"na", "n/a", "nan", "null", "?"};
  return words;
}

namespace data {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The value of a well-formed number outside the range of double: infinite, or rounded to (nearly) zero.
double parse_extreme(std::string_view text) {
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  double value = 0.0;
  stream >> value;
  if (!stream.fail()) return value;
  return text.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

Cell parse_number(std::string_view text) {
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.empty() || text.front() == '-' || text.front() == '+') return {CellKind::text, not_a_number};
  }
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return {CellKind::text, not_a_number};
  if (error == std::errc::result_out_of_range) value = parse_extreme(text);
  if (std::isnan(value)) return {CellKind::missing, not_a_number};
  return {CellKind::number, value};
}

}  // namespace

bool is_missing(std::string_view text) noexcept {
  text = trimmed(text);
  if (text.empty()) return true;
  if (text.size() > 4) return false;
  const auto equal = [](char a, char b) { return detail::ascii_lower(a) == b; };
  for (const std::string_view word : missing_words()) {
    if (std::equal(text.begin(), text.end(), word.begin(), word.end(), equal)) return true;
  }
  return false;
}

Cell parse_cell(std::string_view text, char decimal) {
  if (is_missing(text)) return {CellKind::missing, not_a_number};
  text = trimmed(text);
  if (decimal == '.') return parse_number(text);
  if (text.find('.') != std::string_view::npos) return {CellKind::text, not_a_number};
  std::string with_point(text);
  std::replace(with_point.begin(), with_point.end(), decimal, '.');
  return parse_number(with_point);
}

}  // namespace data

}  // namespace overtake
