// SPDX-License-Identifier: MIT
#include "score_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "names.hpp"
#include "overtake/data_preprocessing.hpp"
#include "overtake/data_table.hpp"
#include "overtake/error.hpp"
#include "overtake/metrics.hpp"

namespace cli {
namespace {

using overtake::Column;
using overtake::ColumnKind;
using overtake::DataError;
using overtake::Table;
using overtake::TableOptions;
using overtake::Task;

constexpr std::string_view probability_prefix = "probability_";

TableOptions truth_reading(const ScoreFlags& flags) {
  TableOptions reading;
  if (flags.header || flags.no_header) {
    reading.header = flags.header;
  }
  reading.mixed_as_text = true;  // what stands in other columns does not matter
  return reading;
}

TableOptions prediction_reading() {
  TableOptions reading;
  reading.header = true;
  reading.mixed_as_text = true;
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

/// A label that is a number as numbers are usually written, and that a double holds exactly enough to be told apart.
bool plain_number(std::string_view text, double* number) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
  if (digits.empty() || digits.find_first_not_of("0123456789.") != std::string_view::npos || leading_zero) {
    return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && std::abs(*number) < 9007199254740992.0;
}

/// Numbers the classes of labels: by value where all are plain numbers, else as text.
class Classes {
 public:
  explicit Classes(const std::vector<std::string>& labels) {
    double ignored = 0;
    numeric_ = std::all_of(labels.begin(), labels.end(),
                           [&](const std::string& label) { return plain_number(label, &ignored); });
    std::map<double, std::string> by_number;
    std::set<std::string> by_text;
    for (const std::string& label : labels) {
      if (numeric_) {
        by_number.try_emplace(number(label), label);
      } else {
        by_text.insert(label);
      }
    }
    for (const auto& [value, label] : by_number) {
      places_of_numbers_.emplace(value, static_cast<std::int32_t>(names_.size()));
      names_.push_back(label);
    }
    for (const std::string& label : by_text) {
      places_of_texts_.emplace(label, static_cast<std::int32_t>(names_.size()));
      names_.push_back(label);
    }
  }

  [[nodiscard]] std::int32_t place(const std::string& label) const {
    return numeric_ ? places_of_numbers_.at(number(label)) : places_of_texts_.at(label);
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  static double number(const std::string& label) {
    double value = 0;
    (void)plain_number(label, &value);
    return value;
  }

  bool numeric_ = false;
  std::map<double, std::int32_t> places_of_numbers_;
  std::map<std::string, std::int32_t> places_of_texts_;
  std::vector<std::string> names_;
};

std::vector<std::int32_t> labels_of(const Column& column, const Classes& classes) {
  std::vector<std::int32_t> place_of_code;
  for (const std::string& label : column.categories) {
    place_of_code.push_back(classes.place(label));
  }
  std::vector<std::int32_t> labels;
  for (const std::int32_t code : column.codes) {
    labels.push_back(place_of_code[static_cast<std::size_t>(code)]);
  }
  return labels;
}

void read_shares(const Table& predictions, const std::vector<std::string>& columns, const Classes& classes,
                 ScoredRows& rows) {
  const std::size_t k = classes.names().size();
  rows.shares.assign(static_cast<std::size_t>(rows.rows) * k, 0.0);
  std::vector<std::uint8_t> seen(k);
  for (const std::string& name : columns) {
    const Column& column = complete_column(predictions, name);
    const auto place = static_cast<std::size_t>(classes.place(name.substr(probability_prefix.size())));
    if (seen[place] != 0) {
      throw DataError(
          fmt::format("{} has two columns of probabilities for class {}", predictions.source, classes.names()[place]));
    }
    seen[place] = 1;
    for (std::size_t row = 0; row < column.numbers.size(); ++row) {
      const double share = column.numbers[row];
      if (!(share >= 0 && share <= 1)) {
        const auto index = static_cast<std::int64_t>(column_of(predictions, name));
        throw DataError(fmt::format("{}: expected a probability from 0 to 1, found {}",
                                    predictions.locate(static_cast<std::int64_t>(row), index), share));
      }
      rows.shares[row * k + place] = share;
    }
  }
  for (std::size_t place = 0; place < k; ++place) {
    if (seen[place] == 0) {
      throw DataError(fmt::format("{} has no column {}{}, and {} is a class", predictions.source, probability_prefix,
                                  classes.names()[place], classes.names()[place]),
                      "Probabilities are of every class or of none; \"overtake predict --proba\" writes them.");
    }
  }
}

/// Both files again, with the target as text.
void read_classes(const ScoreFlags& flags, const std::vector<std::string>& probabilities, ScoredRows& rows) {
  TableOptions reading = truth_reading(flags);
  reading.text = {flags.target};
  const Table truth = overtake::read_table(flags.truth, reading);
  reading = prediction_reading();
  reading.text = {flags.target};
  reading.numeric = probabilities;
  const Table predictions = overtake::read_table(flags.predictions, reading);
  const Column& known = complete_column(truth, flags.target);
  const Column& answered = complete_column(predictions, flags.target);
  std::vector<std::string> labels = known.categories;
  labels.insert(labels.end(), answered.categories.begin(), answered.categories.end());
  for (const std::string& name : probabilities) {
    labels.push_back(name.substr(probability_prefix.size()));
  }
  const Classes classes(labels);
  rows.classes = classes.names();
  rows.true_labels = labels_of(known, classes);
  rows.predicted_labels = labels_of(answered, classes);
  if (!probabilities.empty()) {
    read_shares(predictions, probabilities, classes, rows);
  }
}

/// Numbers of the target's column; reads the file again where it holds words, for the error that names the first.
std::vector<double> numbers_of(const Table& table, const std::string& path, TableOptions reading,
                               const std::string& target) {
  const Column& column = complete_column(table, target);
  if (column.kind == ColumnKind::numeric) {
    return column.numbers;
  }
  reading.numeric = {target};
  return complete_column(overtake::read_table(path, reading), target).numbers;
}

/// Numbers are classes where the truth looks like classes and nothing else was predicted.
bool looks_like_classes(const Column& truth, const Column& predicted) {
  if (overtake::detect_task(truth) == Task::regression) {
    return false;
  }
  const std::set<double> known(truth.numbers.begin(), truth.numbers.end());
  return predicted.kind == ColumnKind::text || std::all_of(predicted.numbers.begin(), predicted.numbers.end(),
                                                           [&](double value) { return known.contains(value); });
}

void choose_task(const ScoreFlags& flags, const Column& truth, const Column& predicted, bool probabilities,
                 ScoredRows& rows) {
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
  const bool classes = looks_like_classes(truth, predicted);
  take(classes, classes ? "the target holds few distinct whole numbers" : "the target holds numbers");
}

}  // namespace

ScoredRows read_scored_rows(const ScoreFlags& flags) {
  const Table truth = overtake::read_table(flags.truth, truth_reading(flags));
  check_choice(flags.target, truth.names(), "--target");
  const Table predictions = overtake::read_table(flags.predictions, prediction_reading());
  (void)column_of(predictions, flags.target);
  if (predictions.rows != truth.rows) {
    throw DataError(
        fmt::format("{} has {} rows and {} has {}", flags.predictions, predictions.rows, flags.truth, truth.rows),
        "Predictions are compared row by row: both files need the same rows in the same order.");
  }
  ScoredRows rows;
  rows.rows = truth.rows;
  const std::vector<std::string> probabilities = probability_columns(predictions);
  choose_task(flags, complete_column(truth, flags.target), complete_column(predictions, flags.target),
              !probabilities.empty(), rows);
  if (rows.task == Task::classification) {
    read_classes(flags, probabilities, rows);
    return rows;
  }
  rows.true_numbers = numbers_of(truth, flags.truth, truth_reading(flags), flags.target);
  rows.predicted_numbers = numbers_of(predictions, flags.predictions, prediction_reading(), flags.target);
  return rows;
}

}  // namespace cli
