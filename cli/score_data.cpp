// SPDX-License-Identifier: MIT
#include "score_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "flags/names.hpp"
#include "overtake/data/labels.hpp"
#include "overtake/data/preprocessing.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"
#include "overtake/metrics.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

using overtake::Column;
using overtake::ColumnKind;
using overtake::DataError;
using overtake::Table;
using overtake::TableOptions;
using overtake::Task;

constexpr std::string_view probability_prefix = "probability_";

/// The target as numbers and as it is spelt; what stands in other columns does not matter.
TableOptions truth_reading(const ScoreFlags& flags) {
  TableOptions reading;
  apply_notation(flags, reading);
  reading.text = parse_words(flags.text);
  // Numbers in a notation that is not set are no classes, unless the task says so.
  (flags.task == "classification" ? reading.names : reading.spelled).push_back(flags.target);
  reading.others_ignored = true;
  return reading;
}

/// Predictions are written in the plain notation, whatever the truth's.
TableOptions prediction_reading(const ScoreFlags& flags) {
  TableOptions reading;
  reading.header = true;
  reading.names = {flags.target};
  reading.others_ignored = true;
  reading.allow_absent = true;
  return reading;
}

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
    if (missing) {
      throw DataError(fmt::format("{}: the cell is missing, expected a value in every row",
                                  table.locate(static_cast<std::int64_t>(row), static_cast<std::int64_t>(index))),
                      "Correct the cell, or remove the row from both files.");
    }
  }
  return column;
}

std::vector<std::string> probability_columns(const Table& predictions) {
  std::vector<std::string> names = predictions.names();
  names.erase(std::remove_if(names.begin(), names.end(),
                             [](const std::string& name) { return !name.starts_with(probability_prefix); }),
              names.end());
  return names;
}

/// The labels of both files and of the probabilities as one column, in this order of rows.
overtake::Labels joint_labels(const Table& truth, const Column& known, const Column& answered,
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
    if (is_new) {
      column.categories.push_back(label);
    }
    column.codes.push_back(found->second);
  };
  for (const Column* cells : {&known, &answered}) {
    for (const std::int32_t code : cells->codes) {
      add(cells->categories[static_cast<std::size_t>(code)]);
    }
  }
  for (const std::string& name : probabilities) {
    add(name.substr(probability_prefix.size()));
  }
  joint.rows = static_cast<std::int64_t>(column.codes.size());
  joint.columns.push_back(std::move(column));
  return overtake::labels_of(joint, 0);
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
  while (overtake::text::number(column.categories[static_cast<std::size_t>(column.codes[row])])) {
    ++row;
  }
  throw DataError(fmt::format("{}: expected a number, found \"{}\"",
                              table.locate(static_cast<std::int64_t>(row),
                                           static_cast<std::int64_t>(column_of(table, column.name))),
                              column.categories[static_cast<std::size_t>(column.codes[row])]),
                  "Correct the cell; or give --task classification if these are classes.");
}

/// `place_of`: the class of each column.
void read_probabilities(const Table& predictions, const std::vector<std::string>& columns,
                        std::span<const std::int32_t> place_of, ScoredRows& rows) {
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
                  const std::vector<std::string>& probabilities, ScoredRows& rows) {
  overtake::Labels labels = joint_labels(truth, known, answered, probabilities);
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
  if (!all_whole(truth) || !all_whole(predicted)) {
    return false;
  }
  if (!overtake::labels_of(table, column_of(table, truth.name)).numeric) {
    return true;  // names in digits: 007, or more of them than a number holds
  }
  std::set<double> distinct(truth.numbers.begin(), truth.numbers.end());
  distinct.insert(predicted.numbers.begin(), predicted.numbers.end());
  return distinct.size() <= most_classes;
}

void choose_task(const ScoreFlags& flags, const Table& table, const Column& truth, const Column& predicted,
                 bool probabilities, ScoredRows& rows) {
  const auto take = [&](bool classes, const char* reason) {
    rows.task = classes ? Task::classification : Task::regression;
    rows.reason = reason;
  };
  const std::vector<std::string> metrics = parse_words(flags.metrics);
  if (flags.task != "auto") {
    return take(flags.task == "classification", "--task");
  }
  if (!metrics.empty()) {
    return take(overtake::is_for(overtake::parse_metric(metrics.front()), Task::classification), "its metrics");
  }
  if (probabilities) {
    return take(true, "there are probabilities of classes");
  }
  if (truth.kind == ColumnKind::text) {
    return take(true, "the target is text");
  }
  if (truth.days) {
    return take(false, "the target holds dates, which are numbers of days");
  }
  const bool classes = looks_like_classes(table, truth, predicted);
  take(classes,
       classes ? "the target holds few distinct whole numbers, or names in digits" : "the target holds numbers");
}

}  // namespace

ScoredRows read_scored_rows(const ScoreFlags& flags) {
  const Table truth = overtake::read_table(flags.truth, truth_reading(flags));
  const Table predictions = overtake::read_table(flags.predictions, prediction_reading(flags));
  if (predictions.rows != truth.rows) {
    throw DataError(
        fmt::format("{} has {} rows and {} has {}", flags.predictions, predictions.rows, flags.truth, truth.rows),
        "Predictions are compared row by row: both files need the same rows in the same order.");
  }
  ScoredRows rows;
  rows.rows = truth.rows;
  const Column& known = complete_column(truth, flags.target);
  const Column& answered = complete_column(predictions, flags.target);
  const std::vector<std::string> probabilities = probability_columns(predictions);
  choose_task(flags, truth, known, answered, !probabilities.empty(), rows);
  if (rows.task == Task::classification) {
    take_classes(truth, known, predictions, answered, probabilities, rows);
    return rows;
  }
  rows.true_numbers = numbers_of(truth, known);
  rows.predicted_numbers = numbers_of(predictions, answered);
  return rows;
}

}  // namespace cli
