// SPDX-License-Identifier: MIT
#include "forest_score.hpp"

#include <numeric>
#include <vector>

#include "overtake/search.hpp"

namespace cli {

double accuracy_of(std::span<const std::int32_t> predicted, const overtake::Dataset& data) {
  std::int64_t right = 0;
  for (std::size_t row = 0; row < predicted.size(); ++row) {
    right += predicted[row] == data.labels[row] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(predicted.size());
}

double r2_of(std::span<const double> predicted, const overtake::Dataset& data) {
  overtake::FoldOutcome outcome;
  for (std::size_t row = 0; row < predicted.size(); ++row) {
    const double error = predicted[row] - data.targets[row];
    outcome.squared_error += error * error;
  }
  std::vector<std::int32_t> rows(predicted.size());
  std::iota(rows.begin(), rows.end(), 0);
  return overtake::score_of(overtake::Metric::r2, outcome, data, rows);
}

}  // namespace cli
