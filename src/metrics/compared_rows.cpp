// SPDX-License-Identifier: MIT
#include "metrics/compared_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "overtake/data/labels.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace overtake::metrics {
namespace {

constexpr std::string_view probability_prefix = "probability_";

std::size_t column_of(const Table& table, const std::string& name) {
  const std::vector<std::string> names = table.names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw DataError(fmt::format("{} has no column {}", table.source, name),
                    "Use a file that \"overtake predict --out\" wrote: the predictions are in the target's column.");
  }
  return static_cast<std::size_t>(found - names.begin());
}

/// Every row needs an answer and a truth.
const Column& complete_column(const Table& table, const std::string& name) {
  const std::size_t index = column_of(table, name);
  const Column& column = table.columns[index];
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const bool missing = column.kind == ColumnKind::text ? column.codes[row] < 0 : std::isnan(column.numbers[row]);
    if (!missing) continue;
    throw DataError(fmt::format("{}: the cell is missing, expected a value in every row",
                                table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(index))),
                    "Correct the cell, or remove the row from both files.");
  }
  return column;
}

std::vector<std::string> probability_columns(const Table& predictions) {
  std::vector<std::string> names = predictions.names();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with(probability_prefix); });
  return names;
}

/// The labels of both files and of the probabilities as one column, in this order of rows.
Labels joint_labels(const Table& truth, const Column& known, const Column& answered,
                    const std::vector<std::string>& probabilities) {
  Table joint;
  joint.reading = truth.reading;
  Column column;
  const bool numbers = known.kind == ColumnKind::numeric && answered.kind == ColumnKind::numeric;
  column.kind = numbers ? ColumnKind::numeric : ColumnKind::text;
  column.days = known.days;
  std::map<std::string, std::int32_t> places;
  const auto add = [&](const std::string& label) {
    const auto [found, is_new] = places.try_emplace(label, static_cast<std::int32_t>(column.categories.size()));
    if (is_new) column.categories.push_back(label);
    column.codes.push_back(found->second);
  };
  for (const Column* cells : {&known, &answered}) {
    for (const std::int32_t code : cells->codes) add(cells->categories[static_cast<std::size_t>(code)]);
  }
  for (const std::string& name : probabilities) add(name.substr(probability_prefix.size()));
  joint.rows = static_cast<std::int64_t>(column.codes.size());
  joint.columns.push_back(std::move(column));
  return labels_of(joint, 0);
}

/// Numbers of a column. Throws DataError for the first word.
const std::vector<double>& numbers_of(const Table& table, const Column& column) {
  if (column.kind == ColumnKind::numeric) {
    const auto infinite =
        std::find_if(column.numbers.begin(), column.numbers.end(), [](double x) { return std::isinf(x); });
    if (infinite != column.numbers.end()) {
      throw DataError(fmt::format("{}: expected a finite number, found {}",
                                  table.locate(infinite - column.numbers.begin(),
                                               static_cast<std::int64_t>(column_of(table, column.name))),
                                  *infinite),
                      "Correct the cell.");
    }
    return column.numbers;
  }
  std::size_t row = 0;
  while (text::number(column.categories[static_cast<std::size_t>(column.codes[row])])) ++row;
  throw DataError(fmt::format("{}: expected a number, found \"{}\"",
                              table.locate(static_cast<std::int64_t>(row),
                                           static_cast<std::int64_t>(column_of(table, column.name))),
                              column.categories[static_cast<std::size_t>(column.codes[row])]),
                  "Correct the cell; or give --task classification if these are classes.");
}

/// `place_of`: the class of each column.
void read_probabilities(const Table& predictions, const std::vector<std::string>& columns,
                        std::span<const std::int32_t> place_of, ComparedRows& rows) {
  const std::size_t k = rows.classes.size();
  rows.probabilities.assign(static_cast<std::size_t>(rows.rows) * k, 0.0);
  std::vector<std::uint8_t> seen(k);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& name = columns[i];
    const Column& column = complete_column(predictions, name);
    const auto place = static_cast<std::size_t>(place_of[i]);
    if (seen[place] != 0) {
      throw DataError(
          fmt::format("{} has two columns of probabilities for class {}", predictions.source, rows.classes[place]));
    }
    seen[place] = 1;
    const std::vector<double>& probabilities = numbers_of(predictions, column);
    for (std::size_t row = 0; row < probabilities.size(); ++row) {
      const double share = probabilities[row];
      if (!(share >= 0 && share <= 1)) {
        const auto index = static_cast<std::int64_t>(column_of(predictions, name));
        throw DataError(fmt::format("{}: expected a probability from 0 to 1, found {}",
                                    predictions.locate(static_cast<std::int64_t>(row), index), share));
      }
      rows.probabilities[row * k + place] = share;
    }
  }
  for (std::size_t place = 0; place < k; ++place) {
    if (seen[place] == 0) {
      throw DataError(fmt::format("{} has no column {}{}, and {} is a class", predictions.source, probability_prefix,
                                  rows.classes[place], rows.classes[place]),
                      "Probabilities are of every class or of none; \"overtake predict --proba\" writes them.");
    }
  }
}

void take_classes(const Table& truth, const Column& known, const Table& predictions, const Column& answered,
                  const std::vector<std::string>& probabilities, ComparedRows& rows) {
  Labels labels = joint_labels(truth, known, answered, probabilities);
  rows.classes = std::move(labels.names);
  const auto first = labels.codes.begin();
  rows.true_labels.assign(first, first + rows.rows);
  rows.predicted_labels.assign(first + rows.rows, first + 2 * rows.rows);
  if (!probabilities.empty()) {
    const std::size_t begin = 2 * static_cast<std::size_t>(rows.rows);
    read_probabilities(predictions, probabilities, std::span(labels.codes).subspan(begin), rows);
  }
}

/// Numbers are classes where both files hold whole ones and not many: a few rows say less than training knew.
bool looks_like_classes(const Table& table, const Column& truth, const Column& predicted) {
  constexpr std::size_t most_classes = 50;
  const auto whole = [](double value) { return value == std::floor(value); };
  const auto all_whole = [&](const Column& column) {
    return std::all_of(column.numbers.begin(), column.numbers.end(), whole);
  };
  if (!all_whole(truth) || !all_whole(predicted)) return false;
  if (!labels_of(table, column_of(table, truth.name)).numeric) {
    return true;  // names in digits: 007, or more of them than a number holds
  }
  std::set<double> distinct(truth.numbers.begin(), truth.numbers.end());
  distinct.insert(predicted.numbers.begin(), predicted.numbers.end());
  return distinct.size() <= most_classes;
}

void choose_task(const ScoreOptions& options, const Table& table, const Column& truth, const Column& predicted,
                 bool probabilities, ComparedRows& rows) {
  const auto take = [&](bool classes, const char* reason) {
    rows.task = classes ? Task::classification : Task::regression;
    rows.reason = reason;
  };
  if (options.task) return take(*options.task == Task::classification, "--task");
  if (!options.metrics.empty()) return take(is_for(options.metrics.front(), Task::classification), "its metrics");
  if (probabilities) return take(true, "there are probabilities of classes");
  if (truth.kind == ColumnKind::text) return take(true, "the target is text");
  if (truth.days) return take(false, "the target holds dates, which are numbers of days");
  const bool classes = looks_like_classes(table, truth, predicted);
  take(classes,
       classes ? "the target holds few distinct whole numbers, or names in digits" : "the target holds numbers");
}

}  // namespace

ComparedRows compare(const Table& predictions, const Table& truth, const ScoreOptions& options) {
  if (predictions.rows != truth.rows) {
    throw DataError(
        fmt::format("{} has {} rows and {} has {}", predictions.source, predictions.rows, truth.source, truth.rows),
        "Predictions are compared row by row: both files need the same rows in the same order.");
  }
  ComparedRows rows;
  rows.rows = truth.rows;
  const Column& known = complete_column(truth, options.target);
  const Column& answered = complete_column(predictions, options.target);
  const std::vector<std::string> probabilities = probability_columns(predictions);
  choose_task(options, truth, known, answered, !probabilities.empty(), rows);
  if (rows.task == Task::classification) {
    take_classes(truth, known, predictions, answered, probabilities, rows);
    return rows;
  }
  rows.true_numbers = numbers_of(truth, known);
  rows.predicted_numbers = numbers_of(predictions, answered);
  return rows;
}

}  // namespace overtake::metrics
