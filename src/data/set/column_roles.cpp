// SPDX-License-Identifier: MIT
// Columns that are no features: weights, groups, folds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "data/set/encoded_memory.hpp"
#include "data/table/columns.hpp"
#include "overtake/data/labels.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

[[noreturn]] void refuse_cell(const Table& table, std::size_t row, std::size_t column, const std::string& what) {
  throw DataError(
      fmt::format("{}: {}", table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)), what),
      "Correct the cell or remove the row.");
}

std::vector<float> weights_of(const Table& table, const std::string& name) {
  constexpr const char* expected = "expected a weight: a finite number of at least 0";
  const std::size_t index = data::require_column(table, name, "sample_weight");
  const Column& column = table.columns[index];
  if (column.kind == ColumnKind::text)
    refuse_cell(table, 0, index, fmt::format("{}, found a column of text", expected));
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    const double value = column.numbers[row];
    if (value >= 0 && value <= 1e30) continue;
    refuse_cell(table, row, index,
                fmt::format("{}, found {}", expected, std::isnan(value) ? "nothing" : fmt::format("{}", value)));
  }
  return {column.numbers.begin(), column.numbers.end()};
}

/// The cells of a column that says what belongs together, as labels.
Labels names_of(const Table& table, const std::string& name, const char* role) {
  const std::size_t index = data::require_column(table, name, role);
  Labels labels = labels_of(table, index);
  const auto missing =
      std::find_if(labels.codes.begin(), labels.codes.end(), [](std::int32_t code) { return code < 0; });
  if (missing != labels.codes.end()) {
    refuse_cell(table, static_cast<std::size_t>(missing - labels.codes.begin()), index,
                "the cell is missing, expected a value in every row");
  }
  return labels;
}

/// Folds are numbered in the order of their labels; "-1" is no fold: such rows always train.
std::vector<std::int32_t> folds_of(const Table& table, const std::string& name) {
  Labels labels = names_of(table, name, "fold");
  const auto always = std::find(labels.names.begin(), labels.names.end(), "-1") - labels.names.begin();
  for (std::int32_t& code : labels.codes) code = code == always ? -1 : code > always ? code - 1 : code;
  return std::move(labels.codes);
}

/// What a column is for excludes all else that it could be for.
void refuse_two_roles(const ColumnRoles& roles, const TableOptions& reading) {
  std::vector<std::pair<const char*, std::string>> named = {{"the target", roles.target},
                                                            {"sample_weight", roles.sample_weight},
                                                            {"group", roles.group},
                                                            {"fold", roles.fold}};
  for (const std::string& column : reading.ignored) named.emplace_back("ignored (--drop)", column);
  for (auto one = named.begin(); one != named.end(); ++one) {
    const auto is_other = [&](const auto& other) { return other.second == one->second && other.first != one->first; };
    const auto other = std::find_if(std::next(one), named.end(), is_other);
    if (one->second.empty() || other == named.end()) continue;
    throw UsageError(fmt::format("column {} cannot be {} and {} at once", one->second, one->first, other->first),
                     "Name it in one of the two.");
  }
}

}  // namespace

PreprocessingOptions PreprocessingOptions::for_forests() {
  PreprocessingOptions options;
  options.standardise_features = false;
  options.standardise_target = false;
  options.keep_missing = true;
  options.text_as_codes = true;
  options.most_categories = 4096;  // codes are one input, however many there are; classes cost memory in every node
  return options;
}

void ColumnRoles::apply_to(TableOptions& reading, std::optional<Task> task) const {
  refuse_two_roles(*this, reading);
  if (!sample_weight.empty()) reading.numeric.push_back(sample_weight);
  for (const std::string* column : {&group, &fold}) {
    if (!column->empty()) reading.names.push_back(*column);
  }
  if (std::find(reading.names.begin(), reading.names.end(), target) != reading.names.end()) return;
  // Where the task says that its cells are names, they need not be of one kind.
  (task == Task::classification ? reading.names : reading.spelled).push_back(target);
}

PreparedData prepare(const Table& table, const ColumnRoles& roles, PreprocessingOptions options,
                     const Preprocessing* known) {
  PreparedData data;
  if (!roles.sample_weight.empty()) data.sample_weight = weights_of(table, roles.sample_weight);
  // Groups are numbered in the order of their labels, as np.unique sorts them.
  if (!roles.group.empty()) {
    data.groups = names_of(table, roles.group, "group").codes;
  } else if (!roles.fold.empty()) {
    data.groups = folds_of(table, roles.fold);
  }
  for (const std::string& column : {roles.sample_weight, roles.group, roles.fold}) {
    if (!column.empty()) options.ignore.push_back(column);
  }
  data.preprocessing = known != nullptr ? *known : Preprocessing::fit(table, roles.target, options);
  data::require_room_for_rows(data.preprocessing, table.rows, 1, options.host_memory_limit);
  data.training = data.preprocessing.transform(table, &data.report);
  return data;
}

}  // namespace overtake
