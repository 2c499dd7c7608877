// SPDX-License-Identifier: MIT
// Predictions beside the truth, read from two files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flags/reading_options.hpp"
#include "overtake/data/dataset.hpp"

namespace cli {

/// The flags of `overtake score`; those of reading are about the truth.
struct ScoreFlags : ReadingFlags {
  std::string predictions, truth, target, metrics, positive_class;
  std::string json;
};

/// What is compared, row by row.
struct ScoredRows {
  overtake::Task task = overtake::Task::classification;
  std::string reason;  ///< why it is that task
  std::int64_t rows = 0;
  std::vector<std::string> classes;  ///< as they stand in the files, in order
  std::vector<std::int32_t> true_labels, predicted_labels;
  std::vector<double> probabilities;  ///< rows x classes; empty: the file has no probabilities
  std::vector<double> true_numbers, predicted_numbers;
};

/// Reads both files. Labels are compared as the text they are; where every label is a plain number (no leading zero,
/// plus sign, exponent or digit beyond 2^53), equal numbers are one class. Probabilities are the columns
/// probability_CLASS. Throws overtake::UsageError for a target that the truth does not have, DataError for files of
/// different length, missing cells, cells that are no numbers where numbers are expected (with line and column), and
/// probabilities that do not cover the classes.
[[nodiscard]] ScoredRows read_scored_rows(const ScoreFlags& flags);

}  // namespace cli
