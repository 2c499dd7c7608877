// SPDX-License-Identifier: MIT
#include "data/table/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "data/table/columns.hpp"
#include "data/table/message.hpp"
#include "data/text/cell.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using data::CellRules;

/// True for a number that its text says in the one usual way, and that a double holds exactly enough to compare.
bool is_plain_label(std::string_view number) {
  constexpr std::size_t exact_digits = 15;
  double value = 0.0;
  if (number.empty() || number.find_first_not_of("-.0123456789") != std::string_view::npos) return false;
  if (!data::parse_number(number, value) || data::is_beyond_whole(number)) return false;
  if (number.starts_with('-')) {
    if (value == 0) return false;
    number.remove_prefix(1);
  }
  if (number.size() > 1 && number[0] == '0' && number[1] != '.') return false;
  const std::size_t point = number.find('.');
  if (point == std::string_view::npos) return true;
  const std::size_t first = number.find_first_not_of("0.");
  const std::size_t digits = first == std::string_view::npos ? 0 : number.size() - first - (first < point ? 1 : 0);
  return digits <= exact_digits;
}

/// Labels of the distinct cells `names` with their codes; numbers where all of them are plain.
struct Numbered {
  std::vector<double> value;  // of each name; empty: not all are numbers
};
Numbered numbers_of(const std::vector<std::string>& names, const CellRules& rules) {
  Numbered result;
  for (const std::string& name : names) {
    const std::string plain = rules.plain_number(name);
    double value = 0.0;
    if (name.starts_with('+') || !is_plain_label(plain) || !data::parse_number(plain, value)) return {};
    result.value.push_back(value);
  }
  return result;
}

/// True for digits as a whole number is written, however many.
bool is_whole(std::string_view text) {
  text.remove_prefix(text.starts_with('-') ? 1 : 0);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text[0] != '0');
}

/// Whole numbers by value.
bool smaller_whole(const std::string& a, const std::string& b) {
  const bool negative = a.starts_with('-');
  if (negative != b.starts_with('-')) return negative;
  if (negative) return a.size() != b.size() ? a.size() > b.size() : a > b;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// Sorts the names, joins those that `same` says are equal, and renumbers the codes.
template <typename Less, typename Same>
Labels arranged(const std::vector<std::string>& names, const std::vector<std::int32_t>& codes, Less less, Same same) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), less);
  Labels result;
  std::vector<std::int32_t> place(names.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool joined = i > 0 && same(order[i - 1], order[i]);
    if (!joined) result.names.push_back(names[order[i]]);  // stable: the first seen of equals
    place[order[i]] = static_cast<std::int32_t>(result.names.size()) - 1;
  }
  result.codes.reserve(codes.size());
  for (const std::int32_t code : codes) result.codes.push_back(code < 0 ? -1 : place[static_cast<std::size_t>(code)]);
  return result;
}

/// A column of numbers whose spelling was not kept.
Labels labels_of_numbers(const Column& column) {
  std::map<double, std::int32_t> places;
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    if (!std::isnan(column.numbers[row])) places.emplace(column.numbers[row] == 0 ? 0.0 : column.numbers[row], 0);
  }
  Labels result;
  result.numeric = true;
  for (auto& [number, place] : places) {
    place = static_cast<std::int32_t>(result.names.size());
    result.names.push_back(fmt::format("{}", number));
  }
  for (const double number : column.numbers) {
    result.codes.push_back(std::isnan(number) ? -1 : places.find(number == 0 ? 0.0 : number)->second);
  }
  return result;
}

[[noreturn]] void fail(const Table& table, std::size_t column, std::size_t row, const std::string& what,
                       const char* hint) {
  throw DataError(
      fmt::format("{}: {}", table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)), what),
      hint);
}

}  // namespace

Labels labels_of(const Table& table, std::size_t index) {
  if (index >= table.columns.size()) {
    throw UsageError(fmt::format("column {} of {}: there is none", index + 1, table.columns.size()));
  }
  const Column& column = table.columns[index];
  if (!column.spelled()) return labels_of_numbers(column);
  const std::vector<std::string>& names = column.categories;
  const bool may_be_numbers = column.kind == ColumnKind::numeric && !column.days;
  const Numbered numbers = may_be_numbers ? numbers_of(names, CellRules(table.reading.notation)) : Numbered{};
  if (numbers.value.empty()) {
    const bool whole = may_be_numbers && std::all_of(names.begin(), names.end(), is_whole);
    return arranged(
        names, column.codes,
        [&](std::size_t a, std::size_t b) { return whole ? smaller_whole(names[a], names[b]) : names[a] < names[b]; },
        [](std::size_t, std::size_t) { return false; });
  }
  Labels result = arranged(
      names, column.codes, [&](std::size_t a, std::size_t b) { return numbers.value[a] < numbers.value[b]; },
      [&](std::size_t a, std::size_t b) { return numbers.value[a] == numbers.value[b]; });
  result.numeric = true;
  return result;
}

namespace data {

std::vector<std::int32_t> encode_labels(const Table& table, std::size_t column, const std::vector<std::string>& classes,
                                        bool numeric) {
  const CellRules rules(table.reading.notation);
  std::unordered_map<std::string, std::int32_t> by_text;
  std::map<double, std::int32_t> by_number;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto place = static_cast<std::int32_t>(i);
    double value = 0.0;
    if (numeric && parse_number(rules.plain_number(classes[i]), value)) by_number.emplace(value, place);
    by_text.emplace(classes[i], place);
  }
  const auto find = [&](const std::string& text) {
    double value = 0.0;
    if (numeric && parse_number(rules.plain_number(text), value)) {
      const auto found = by_number.find(value);
      return found == by_number.end() ? -1 : found->second;
    }
    const auto found = by_text.find(text);
    return found == by_text.end() ? -1 : found->second;
  };
  const Column& cells = table.columns[column];
  std::vector<std::int32_t> of_category;
  for (const std::string& category : cells.categories) of_category.push_back(find(category));
  std::vector<std::int32_t> result;
  result.reserve(static_cast<std::size_t>(table.rows));
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    if (cell_missing(cells, row)) {
      fail(table, column, row, "the target is missing, expected a value", "Fill the cell in or remove the row.");
    }
    const std::int32_t place =
        cells.spelled() ? of_category[static_cast<std::size_t>(cells.codes[row])] : find(cell_text(cells, row));
    if (place < 0) {
      fail(table, column, row, fmt::format("the class {} did not occur in training", quote(cell_text(cells, row))),
           "Correct the cell, or train again with rows that have it.");
    }
    result.push_back(place);
  }
  return result;
}

}  // namespace data

}  // namespace overtake
