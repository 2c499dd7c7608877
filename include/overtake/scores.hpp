// SPDX-License-Identifier: MIT
// Every metric of predictions that stand in a table, against the truth in another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overtake/data/table.hpp"
#include "overtake/metrics.hpp"
#include "overtake/report.hpp"

namespace overtake {

/// What is scored.
struct ScoreOptions {
  std::string target{};           ///< the column, of both tables, that is compared
  std::optional<Task> task{};     ///< unset: what the metrics, probabilities and cells say
  std::vector<Metric> metrics{};  ///< empty: all that apply
  std::string positive_class{};   ///< see positive_class()

  /// How the truth is read: the target as numbers and as it is spelt; other columns do not matter. `reading` has the
  /// notation.
  [[nodiscard]] TableOptions truth_reading(TableOptions reading) const;
  /// How predictions are read, which predict() and write_table() wrote.
  [[nodiscard]] TableOptions prediction_reading() const;
};

struct Score {
  Metric metric;
  std::string positive_class;  ///< the class that it is about; "" where it is about all
  double value;                ///< NaN: not defined
};

struct Scores {
  Task task = Task::classification;
  std::string task_reason;
  std::int64_t rows = 0;
  std::vector<std::string> classes;  ///< as they stand in the tables, in order
  std::vector<Score> list;
  std::vector<std::string> notes;  ///< on metrics that would need a positive class
};

/// Scores the rows of one table against those of the other. Labels are compared as the text they are; where every label
/// is a plain number (no leading zero, plus sign, exponent or digit beyond 2^53), equal numbers are one class.
/// Probabilities are the columns probability_CLASS. Throws UsageError for metrics and positive classes that the tables
/// have no answer to, DataError for tables of different length, a column that is not there, missing cells, cells that
/// are no numbers where numbers are expected (with line and column), and probabilities that do not cover the classes.
[[nodiscard]] Scores score_tables(const Table& predictions, const Table& truth, const ScoreOptions& options);

/// The figures of the schema "overtake.score/1" (docs/cli.md), without the names of the files.
[[nodiscard]] report::Json to_json(const Scores& scores, const ScoreOptions& options);

}  // namespace overtake
