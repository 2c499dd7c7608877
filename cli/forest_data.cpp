// SPDX-License-Identifier: MIT
#include "forest_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "names.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

using overtake::Column;
using overtake::ColumnKind;
using overtake::DataError;
using overtake::Table;

std::size_t column_index(const Table& table, const std::string& name, const std::string& flag) {
  const std::vector<std::string> names = table.names();
  check_choice(name, names, flag);
  std::size_t index = 0;
  while (names[index] != name) {
    ++index;
  }
  return index;
}

[[noreturn]] void refuse_cell(const Table& table, std::size_t row, std::size_t column, const std::string& what) {
  throw DataError(
      fmt::format("{}: {}", table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)), what),
      "Correct the cell or remove the row.");
}

/// The column's numbers; `accepts` says which are fit for it.
template <typename Accepts>
const std::vector<double>& numbers_of(const Table& table, std::size_t index, const char* expected, Accepts accepts) {
  const Column& column = table.columns[index];
  if (column.kind == ColumnKind::text) {
    refuse_cell(table, 0, index, fmt::format("expected {}, found a column of text", expected));
  }
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    const double value = column.numbers[row];
    if (!accepts(value)) {
      const std::string found = std::isnan(value) ? "nothing" : fmt::format("{}", value);
      refuse_cell(table, row, index, fmt::format("expected {}, found {}", expected, found));
    }
  }
  return column.numbers;
}

std::vector<float> weights_of(const Table& table, const std::string& name) {
  const auto& numbers =
      numbers_of(table, column_index(table, name, "--sample-weight"), "a weight: a finite number of at least 0",
                 [](double value) { return value >= 0 && value <= 1e30; });
  return {numbers.begin(), numbers.end()};
}

std::vector<std::int32_t> folds_of(const Table& table, const std::string& name) {
  constexpr double most = 1e6;
  const auto& numbers =
      numbers_of(table, column_index(table, name, "--fold"), "a fold: -1 or a whole number of at least 0",
                 [](double value) { return value >= -1 && value <= most && value == std::floor(value); });
  return {numbers.begin(), numbers.end()};
}

bool is_whole_number(std::string_view text) {
  text.remove_prefix(text.starts_with('-') ? 1 : 0);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos &&
         (text.size() == 1 || text.front() != '0');
}

/// Whole numbers by value, however many digits they have.
bool smaller_number(const std::string& a, const std::string& b) {
  const bool negative = a.starts_with('-');
  if (negative != b.starts_with('-')) {
    return negative;
  }
  const bool shorter = a.size() != b.size() ? a.size() < b.size() : a < b;
  return negative ? a != b && !shorter : shorter;
}

/// Equal cells get equal numbers, in the order of their values: numbers by value, text by code point. scikit-learn's
/// GroupKFold deals groups out in that order.
std::vector<std::int32_t> groups_of(const Table& table, const std::string& name) {
  const std::size_t index = column_index(table, name, "--group");
  const Column& column = table.columns[index];
  const bool text = column.kind == ColumnKind::text;
  std::vector<double> keys;
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    if (text ? column.codes[row] < 0 : std::isnan(column.numbers[row])) {
      refuse_cell(table, row, index, "the group is missing, expected a value in every row");
    }
    keys.push_back(text ? column.codes[row] : column.numbers[row]);
  }
  std::vector<double> order = keys;
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  if (text) {
    const auto label = [&](double key) -> const std::string& {
      return column.categories[static_cast<std::size_t>(key)];
    };
    const bool whole = std::all_of(order.begin(), order.end(), [&](double key) { return is_whole_number(label(key)); });
    std::sort(order.begin(), order.end(),
              [&](double a, double b) { return whole ? smaller_number(label(a), label(b)) : label(a) < label(b); });
  }
  std::map<double, std::int32_t> rank;
  for (const double key : order) {
    rank.emplace(key, static_cast<std::int32_t>(rank.size()));
  }
  std::vector<std::int32_t> groups;
  for (const double key : keys) {
    groups.push_back(rank.at(key));
  }
  return groups;
}

/// A column that has a meaning of its own is not what is to be learnt.
void check_roles(const ForestDataFlags& flags) {
  const std::pair<const char*, const std::string*> roles[] = {
      {"--sample-weight", &flags.sample_weight}, {"--group", &flags.group}, {"--fold", &flags.fold}};
  for (const auto& [flag, column] : roles) {
    if (!flags.target.empty() && *column == flags.target) {
      throw overtake::UsageError(fmt::format("{} {}: that column is the target", flag, *column));
    }
  }
}

overtake::TableOptions reading_of(const ForestDataFlags& flags) {
  overtake::TableOptions reading;
  if (flags.header || flags.no_header) {
    reading.header = flags.header;
  }
  reading.text = parse_words(flags.text);
  return reading;
}

overtake::PreprocessingOptions preprocessing_of(const ForestDataFlags& flags) {
  overtake::PreprocessingOptions options;
  options.ignore = parse_words(flags.drop);
  for (const std::string& column : {flags.sample_weight, flags.group, flags.fold}) {
    if (!column.empty()) {
      options.ignore.push_back(column);
    }
  }
  if (flags.task != "auto") {
    options.task = flags.task == "classification" ? overtake::Task::classification : overtake::Task::regression;
  }
  options.standardise_features = false;
  options.standardise_target = false;
  options.keep_missing = true;
  options.text_as_codes = true;
  options.most_categories = 4096;  // codes are one input, however many there are; classes cost memory in every node
  return options;
}

}  // namespace

ForestData read_forest_data(const ForestDataFlags& flags, const overtake::Preprocessing* known) {
  check_roles(flags);
  const Table table = overtake::read_table(flags.data, known != nullptr ? known->table_options() : reading_of(flags));
  ForestData data;
  if (!flags.sample_weight.empty()) {
    data.weights = weights_of(table, flags.sample_weight);
  }
  if (!flags.group.empty()) {
    data.groups = groups_of(table, flags.group);
  } else if (!flags.fold.empty()) {
    data.groups = folds_of(table, flags.fold);
  }
  data.preprocessing =
      known != nullptr ? *known : overtake::Preprocessing::fit(table, flags.target, preprocessing_of(flags));
  data.rows = data.preprocessing.transform(table);
  for (const overtake::Feature& feature : data.preprocessing.features) {
    data.feature_names.push_back(feature.name);
  }
  data.class_names = data.preprocessing.classes;
  return data;
}

std::string data_text(const ForestData& data) {
  const std::int64_t outputs = data.preprocessing.outputs();
  const std::string learns =
      data.preprocessing.task == overtake::Task::classification
          ? fmt::format("{} class{} of {}", outputs, outputs == 1 ? "" : "es", data.preprocessing.target)
          : "predicting " + data.preprocessing.target;
  return fmt::format("{} row{}, {} feature{}, {}", overtake::report::count(data.rows.rows),
                     data.rows.rows == 1 ? "" : "s", overtake::report::count(data.rows.features),
                     data.rows.features == 1 ? "" : "s", learns);
}

}  // namespace cli
