// SPDX-License-Identifier: MIT
#include "data/table/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/nearest.hpp"
#include "data/table/message.hpp"
#include "data/text/cell.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

constexpr std::size_t absent = std::numeric_limits<std::size_t>::max();

std::size_t index_of(const Table& table, std::string_view name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == name) return i;
  }
  return absent;
}

std::string source_of(const Table& table) { return table.source.empty() ? "the table" : table.source; }

}  // namespace

std::string column_hint(const Table& table, const std::string& name) {
  constexpr std::size_t most_listed = 12;
  const std::vector<std::string> names = table.names();
  for (const std::string& other : names) {
    if (name.empty() || other.find(',') == std::string::npos || other.find(name) == std::string::npos) continue;
    return fmt::format("A name with a comma stands in double quotes inside a list: '\"{}\"'.", other);
  }
  const std::string near = nearest(name, names);
  if (!near.empty()) return fmt::format("Did you mean {}?", near);
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < most_listed; ++i) list += (i > 0 ? ", " : "") + names[i];
  return fmt::format("It has: {}{}.", list, names.size() > most_listed ? ", ..." : "");
}

namespace {

std::string number_text(double value) { return fmt::format("{}", value == 0.0 ? 0.0 : value); }

/// Calls visit(row) for the given rows, or for all.
template <typename Visit>
void for_rows(std::size_t all, std::span<const std::int32_t> rows, Visit visit) {
  if (rows.empty()) {
    for (std::size_t row = 0; row < all; ++row) visit(row);
    return;
  }
  for (const std::int32_t row : rows) visit(static_cast<std::size_t>(row));
}

std::vector<double> sorted_numbers(const Column& column, std::span<const std::int32_t> rows) {
  std::vector<double> numbers;
  for_rows(column.numbers.size(), rows, [&](std::size_t row) {
    if (!cell_missing(column, row)) numbers.push_back(column.numbers[row]);
  });
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace

std::size_t require_column(const Table& table, const std::string& name, const char* role) {
  const std::size_t index = index_of(table, name);
  if (index != absent) return index;
  throw UsageError(fmt::format("{} has no column {} ({})", source_of(table), quote(name), role),
                   column_hint(table, name));
}

std::size_t model_column(const Table& table, const std::string& name) {
  const std::size_t index = index_of(table, name);
  if (index != absent) return index;
  throw DataError(fmt::format("{} has no column {}, which the model needs", source_of(table), quote(name)),
                  column_hint(table, name));
}

bool cell_missing(const Column& column, std::size_t row) noexcept {
  return column.kind == ColumnKind::numeric ? std::isnan(column.numbers[row]) : column.codes[row] < 0;
}

std::string cell_text(const Column& column, std::size_t row) {
  if (cell_missing(column, row)) return {};
  if (!column.spelled()) return number_text(column.numbers[row]);
  return column.categories[static_cast<std::size_t>(column.codes[row])];
}

double cell_number(const Table& table, std::size_t column, std::size_t row, ValueUse use) {
  const Column& cells = table.columns[column];
  if (cell_missing(cells, row)) return std::numeric_limits<double>::quiet_NaN();
  const auto locate = [&] { return table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)); };
  double value = 0.0;
  if (cells.kind == ColumnKind::text) {
    const Cell cell = CellRules(table.reading.notation).parse(cell_text(cells, row), true);
    if (cell.kind != CellKind::number) {
      throw DataError(fmt::format("{}: expected a number, found {}", locate(), quote(cell_text(cells, row))),
                      "Correct the cell, or leave it empty if the value is missing.");
    }
    value = cell.number;
  } else {
    value = cells.numbers[row];
  }
  // float32 carries a feature on the device.
  const bool feature = use == ValueUse::feature;
  const double most =
      feature ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
  if (std::abs(value) > most) {
    throw DataError(
        fmt::format("{}: expected a finite number{}, found {}", locate(), feature ? " within float32" : "", value),
        "Correct the cell, or leave it empty if the value is missing.");
  }
  return value;
}

Statistics column_statistics(const Table& table, std::size_t column, std::span<const std::int32_t> rows, ValueUse use) {
  const auto all = static_cast<std::size_t>(table.rows);
  Statistics result;
  double sum = 0.0;
  double count = 0.0;
  for_rows(all, rows, [&](std::size_t row) {
    const double value = cell_number(table, column, row, use);
    if (std::isnan(value)) return;
    result.lowest = count > 0 ? std::min(result.lowest, value) : value;
    result.highest = count > 0 ? std::max(result.highest, value) : value;
    sum += value;
    count += 1.0;
  });
  if (count == 0.0) {
    throw DataError(fmt::format("{}: the column {} has no value in the training rows, expected at least one",
                                source_of(table), quote(table.columns[column].name)),
                    "Leave the column out.");
  }
  result.mean = sum / count;
  double squares = 0.0;
  for_rows(all, rows, [&](std::size_t row) {
    const double value = cell_number(table, column, row, use);
    if (!std::isnan(value)) squares += (value - result.mean) * (value - result.mean);
  });
  const double variance = squares / count;
  // A variance that rounding alone explains is none; the bound is scikit-learn's (_is_constant_feature).
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  const double mean_error = count * result.mean * epsilon;
  const bool constant = variance <= count * epsilon * variance + mean_error * mean_error;
  result.scale = constant ? 1.0 : std::sqrt(variance);
  return result;
}

std::vector<std::string> sorted_categories(const Column& column, std::span<const std::int32_t> rows) {
  std::vector<std::string> result;
  if (column.kind == ColumnKind::numeric) {
    for (const double number : sorted_numbers(column, rows)) result.push_back(number_text(number));
  } else {
    std::vector<bool> used(column.categories.size(), false);
    for_rows(column.codes.size(), rows, [&](std::size_t row) {
      if (column.codes[row] >= 0) used[static_cast<std::size_t>(column.codes[row])] = true;
    });
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (used[i]) result.push_back(column.categories[i]);
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace overtake::data
