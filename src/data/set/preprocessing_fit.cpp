// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "data/set/encoded_memory.hpp"
#include "data/table/columns.hpp"
#include "data/table/labels.hpp"
#include "data/table/message.hpp"
#include "data/text/cell.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

using data::quote;

void check_rows(const Table& table, std::span<const std::int32_t> rows) {
  if (table.rows < 1) throw DataError("the table has no rows, expected at least one");
  for (const std::int32_t row : rows) {
    if (row >= 0 && row < table.rows) continue;
    throw UsageError(fmt::format("row {} is out of range, expected 0 to {}", row, table.rows - 1));
  }
}

/// Throws for the first missing target cell.
void require_complete(const Table& table, std::size_t target) {
  for (std::int64_t row = 0; row < table.rows; ++row) {
    if (!data::cell_missing(table.columns[target], static_cast<std::size_t>(row))) continue;
    throw DataError(fmt::format("{}: the target is missing, expected a value in every row",
                                table.locate(row, static_cast<std::int64_t>(target))),
                    "Fill the cell in or remove the row.");
  }
}

/// The columns to learn from, in the order of the table (or of options.features).
std::vector<std::size_t> feature_columns(const Table& table, std::size_t target, const PreprocessingOptions& options) {
  std::unordered_set<std::size_t> excluded{target};
  for (const std::string& name : options.ignore) excluded.insert(data::require_column(table, name, "to ignore"));
  std::vector<std::size_t> result;
  for (const std::string& name : options.features) {
    const std::size_t index = data::require_column(table, name, "feature");
    if (index == target) {
      throw UsageError(fmt::format("the target {} is listed as a feature", quote(name)), "Take it off the list.");
    }
    if (excluded.insert(index).second) result.push_back(index);
  }
  if (options.features.empty()) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (!excluded.contains(i)) result.push_back(i);
    }
  }
  if (result.empty()) {
    throw DataError(fmt::format("{} has no column to learn from besides the target {}", table.source,
                                quote(table.columns[target].name)),
                    "Give at least one feature column.");
  }
  return result;
}

void check_category_count(const Table& table, const std::string& name, std::size_t count, std::int64_t most) {
  if (static_cast<std::int64_t>(count) <= most) return;
  throw DataError(
      fmt::format("{}: the text column {} has {} different values, expected at most {}", table.source, quote(name),
                  count, most),
      "Leave the column out if it is a name or an identifier; if it holds numbers, check the decimal mark.");
}

/// True if a cell of the given rows (all if empty) is not missing.
bool has_value(const Column& column, std::span<const std::int32_t> rows) {
  const auto present = [](double number) { return !std::isnan(number); };
  if (rows.empty()) return std::any_of(column.numbers.begin(), column.numbers.end(), present);
  return std::any_of(rows.begin(), rows.end(), [&](std::int32_t row) { return present(column.numbers[row]); });
}

/// True for a column with digits that begin with a zero or are more than a double holds.
bool has_names_in_digits(const Column& column) {
  return std::any_of(column.categories.begin(), column.categories.end(), [](const std::string& cell) {
    const bool digits = cell.find_first_not_of("0123456789") == std::string::npos;
    return digits && ((cell.size() > 1 && cell[0] == '0') || data::is_beyond_whole(cell));
  });
}

Feature fit_feature(const Table& table, std::size_t index, const PreprocessingOptions& options,
                    std::span<const std::int32_t> rows) {
  const Column& column = table.columns[index];
  Feature feature;
  feature.name = column.name;
  feature.kind = column.kind;
  feature.days = column.days;
  feature.declared_text = column.declared_text;
  if (column.kind == ColumnKind::text) {
    feature.categories = data::sorted_categories(column, rows);
    check_category_count(table, column.name, feature.categories.size(), options.most_categories);
    if (feature.categories.empty()) {
      throw DataError(fmt::format("{}: the column {} has no value in the training rows, expected at least one",
                                  table.source, quote(column.name)),
                      "Leave the column out.");
    }
    return feature;
  }
  if (options.keep_missing && !has_value(column, rows)) return feature;
  const data::Statistics statistics = data::column_statistics(table, index, rows);
  feature.mean = statistics.mean;
  feature.scale = statistics.scale;
  feature.lowest = statistics.lowest;
  feature.highest = statistics.highest;
  return feature;
}

}  // namespace

TaskChoice detect_task(const Table& table, std::size_t target) {
  constexpr std::size_t most_classes = 20;
  constexpr std::size_t rows_per_class = 3;
  const Column& column = table.columns[target];
  const std::string& name = column.name;
  if (column.kind == ColumnKind::text) return {Task::classification, name + " is text"};
  if (column.days) return {Task::regression, name + " holds dates"};
  std::unordered_set<double> distinct;
  std::size_t count = 0;
  for (const double value : column.numbers) {
    if (std::isnan(value)) continue;
    if (value != std::floor(value) || std::isinf(value))
      return {Task::regression, name + " holds numbers with a fraction"};
    distinct.insert(value);
    ++count;
  }
  const Labels labels = labels_of(table, target);
  if (!labels.numeric && has_names_in_digits(column)) {
    return {Task::classification,
            fmt::format("{} holds digits that are names ({})", name, quote(labels.names.front()))};
  }
  const std::string found =
      fmt::format("{} holds {} different whole numbers in {} rows", name, labels.names.size(), count);
  const bool few = labels.names.size() <= most_classes && labels.names.size() * rows_per_class <= count;
  return {few ? Task::classification : Task::regression, found};
}

namespace {

Task choose_task(const Table& table, std::size_t target, const PreprocessingOptions& options) {
  if (options.task) return *options.task;
  constexpr std::size_t most_classes = 50;
  constexpr std::size_t rows_per_class = 5;
  const TaskChoice choice = detect_task(table, target);
  if (choice.task == Task::regression) return choice.task;
  const std::size_t classes = labels_of(table, target).names.size();
  if (classes <= most_classes || static_cast<std::size_t>(table.rows) >= classes * rows_per_class) return choice.task;
  const std::string& name = table.columns[target].name;
  throw DataError(
      fmt::format("{}: the target {} would make {} classes out of {} rows, since {}", table.source, quote(name),
                  classes, table.rows, choice.reason),
      "Give --task classification if that is meant. If they are numbers, see --decimal, --thousands and --missing, "
      "or give --task regression.");
}

}  // namespace

Preprocessing Preprocessing::fit(const Table& table, const std::string& target, const PreprocessingOptions& options,
                                 std::span<const std::int32_t> rows) {
  check_rows(table, rows);
  const std::size_t target_index = data::require_column(table, target, "target");
  const Column& target_column = table.columns[target_index];
  require_complete(table, target_index);
  Preprocessing result;
  result.target = target;
  result.target_declared_text = target_column.declared_text;
  result.reading = table.reading;
  result.columns = table.names();
  result.unseen = options.unseen;
  result.keep_missing = options.keep_missing;
  result.text_as_codes = options.text_as_codes;
  result.task = choose_task(table, target_index, options);
  if (result.task == Task::classification) {
    Labels labels = labels_of(table, target_index);
    result.classes = std::move(labels.names);
    result.numeric_classes = labels.numeric;
    check_category_count(table, target, result.classes.size(), options.most_categories);
  } else {
    // Also without standardisation: it checks that every cell is a finite number.
    const data::Statistics statistics = data::column_statistics(table, target_index, rows, data::ValueUse::target);
    if (options.standardise_target) {
      result.target_mean = statistics.mean;
      result.target_scale = statistics.scale;
    }
  }
  for (const std::size_t index : feature_columns(table, target_index, options)) {
    result.features.push_back(fit_feature(table, index, options, rows));
  }
  result.standardise = options.standardise_features;
  return result;
}

PreparedData prepare(const Table& table, const std::string& target, const PreprocessingOptions& options,
                     double validation_fraction, std::uint64_t seed) {
  // The task and the labels do not depend on the rows; statistics do, and come from the training rows only.
  const std::size_t index = data::require_column(table, target, "target");
  const Task task = choose_task(table, index, options);
  Split split;
  if (task == Task::classification) {
    require_complete(table, index);
    const Labels labels = labels_of(table, index);
    split = split_stratified(labels.codes, static_cast<std::int32_t>(labels.names.size()), validation_fraction, seed);
  } else {
    split = split_rows(table.rows, validation_fraction, seed);
  }
  PreparedData result;
  result.preprocessing = Preprocessing::fit(table, target, options, split.training);
  data::require_room_for_rows(result.preprocessing, table.rows, 2, options.host_memory_limit);  // all, and its parts
  const Dataset all = result.preprocessing.transform(table);
  result.training = select(all, split.training);
  result.validation = select(all, split.validation);
  return result;
}

}  // namespace overtake
