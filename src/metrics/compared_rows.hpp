// SPDX-License-Identifier: MIT
// Predictions beside the truth, row by row.
#pragma once

#include "overtake/scores.hpp"

namespace overtake::metrics {

struct ComparedRows {
  Task task = Task::classification;
  std::string reason;  ///< why it is that task
  std::int64_t rows = 0;
  std::vector<std::string> classes;
  std::vector<std::int32_t> true_labels, predicted_labels;
  std::vector<double> probabilities;  ///< rows x classes; empty: there are none
  std::vector<double> true_numbers, predicted_numbers;
};

/// Throws what score_tables() says of tables.
[[nodiscard]] ComparedRows compare(const Table& predictions, const Table& truth, const ScoreOptions& options);

}  // namespace overtake::metrics
