// SPDX-License-Identifier: MIT
// From what a device measured to a score.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "overtake/error.hpp"
#include "overtake/search.hpp"

namespace overtake {

namespace {

/// The values of the given rows.
template <typename Value>
std::vector<Value> taken(const std::vector<Value>& values, std::span<const std::int32_t> rows) {
  std::vector<Value> result;
  result.reserve(rows.size());
  for (const std::int32_t row : rows) result.push_back(values[static_cast<std::size_t>(row)]);
  return result;
}

}  // namespace

double score_of(Metric metric, const FoldOutcome& outcome, const Dataset& data, std::span<const std::int32_t> test,
                std::int32_t positive) {
  check_metric(metric, data.task, data.classes);
  if (!outcome.failure.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (data.task == Task::regression) {
    return score_of_errors(metric, {outcome.squared_error, outcome.absolute_error}, taken(data.targets, test));
  }
  if (!needs_probabilities(metric)) {
    return score_of_counts(metric, class_counts(outcome.confusion, data.classes), positive);
  }
  if (outcome.predictions.size() != test.size() * static_cast<std::size_t>(data.classes)) {
    throw InternalError(fmt::format("{} probabilities for {} rows and {} classes", outcome.predictions.size(),
                                    test.size(), data.classes));
  }
  return score_of_probabilities(metric, outcome.predictions, taken(data.labels, test), data.classes, positive);
}

FoldOutcome outcome_of(std::vector<double> predictions, const Dataset& data, std::span<const std::int32_t> rows) {
  const std::size_t outputs = data.task == Task::regression ? 1 : static_cast<std::size_t>(data.classes);
  if (predictions.size() != rows.size() * outputs) {
    throw UsageError(
        fmt::format("{} predictions for {} rows, expected {} a row", predictions.size(), rows.size(), outputs));
  }
  FoldOutcome outcome;
  if (data.task == Task::regression) {
    const ErrorSums sums = error_sums(predictions, taken(data.targets, rows));
    outcome.squared_error = sums.squared;
    outcome.absolute_error = sums.absolute;
  } else {
    const auto classes = static_cast<std::size_t>(data.classes);
    outcome.confusion.assign(classes * classes, 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto shares = predictions.begin() + static_cast<std::ptrdiff_t>(i * classes);
      const auto best = std::max_element(shares, shares + data.classes) - shares;
      outcome.confusion[static_cast<std::size_t>(data.labels[rows[i]]) * classes + static_cast<std::size_t>(best)] += 1;
    }
  }
  outcome.predictions = std::move(predictions);
  return outcome;
}

}  // namespace overtake
