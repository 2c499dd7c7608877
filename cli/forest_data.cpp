// SPDX-License-Identifier: MIT
#include "forest_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "flags/names.hpp"
#include "overtake/data/labels.hpp"
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

/// The cells of a column that says what belongs together, as labels.
overtake::Labels names_of(const Table& table, const std::string& name, const char* flag) {
  const std::size_t index = column_index(table, name, flag);
  overtake::Labels labels = overtake::labels_of(table, index);
  for (std::size_t row = 0; row < labels.codes.size(); ++row) {
    if (labels.codes[row] < 0) {
      refuse_cell(table, row, index, "the cell is missing, expected a value in every row");
    }
  }
  return labels;
}

/// Folds are numbered in the order of their labels; "-1" is no fold: such rows always train.
std::vector<std::int32_t> folds_of(const Table& table, const std::string& name) {
  const overtake::Labels labels = names_of(table, name, "--fold");
  const auto always = std::find(labels.names.begin(), labels.names.end(), "-1") - labels.names.begin();
  std::vector<std::int32_t> folds;
  for (const std::int32_t code : labels.codes) {
    folds.push_back(code == always ? -1 : code > always ? code - 1 : code);
  }
  return folds;
}

/// Groups are numbered in the order of their labels, as np.unique sorts them.
std::vector<std::int32_t> groups_of(const Table& table, const std::string& name) {
  return names_of(table, name, "--group").codes;
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

/// The columns with a meaning of their own are read for it.
void add_roles(const ForestDataFlags& flags, overtake::TableOptions& options) {
  if (!flags.sample_weight.empty()) {
    options.numeric.push_back(flags.sample_weight);
  }
  for (const std::string& column : {flags.group, flags.fold}) {
    if (!column.empty()) {
      options.names.push_back(column);
    }
  }
}

overtake::PreprocessingOptions preprocessing_of(const ForestDataFlags& flags) {
  overtake::PreprocessingOptions options;
  options.ignore = parse_words(flags.drop);
  for (const std::string& column : {flags.sample_weight, flags.group, flags.fold}) {
    if (!column.empty()) {
      options.ignore.push_back(column);
    }
  }
  options.task = task_of(flags);
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
  overtake::TableOptions options = known != nullptr ? known->table_options() : training_options(flags, flags.target);
  add_roles(flags, options);
  options.memory_limit = flags.memory_limit;
  const Table table = overtake::read_table(flags.data, options);
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
  overtake::TransformReport report;
  data.rows = data.preprocessing.transform(table, &report);
  constexpr std::int64_t most_rows = 200'000;
  data.description = overtake::describe(table, most_rows);
  data.decisions =
      decisions_text(table, data.description, data.preprocessing, known != nullptr || flags.task != "auto");
  data.notes = notes_text(data.description, data.preprocessing) + notes_text(report);
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
