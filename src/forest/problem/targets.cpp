// SPDX-License-Identifier: MIT
#include "forest/problem/targets.hpp"

#include <fmt/format.h>

#include <cmath>

#include "overtake/error.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {
namespace {

void check_targets(const Dataset& data, Criterion criterion) {
  constexpr double most = 1e100;
  double sum = 0;
  for (std::size_t row = 0; row < data.targets.size(); ++row) {
    const double value = data.targets[row];
    if (!std::isfinite(value)) {
      throw DataError(fmt::format("the target of row {} is {}; expected a finite number", row,
                                  std::isnan(value) ? "missing" : "infinite"),
                      "Remove the rows without a target.");
    }
    if (std::fabs(value) > most) {
      throw DataError(
          fmt::format("the target of row {} is {}; forests take numbers of at most {} in size", row, value, most),
          "Remove the row, or divide all targets by the same number.");
    }
    if (criterion == Criterion::poisson && value < 0) {
      throw DataError(
          fmt::format("the target of row {} is {}; criterion poisson expects numbers of at least 0", row, value),
          "Use criterion squared_error.");
    }
    sum += value;
  }
  if (criterion == Criterion::poisson && !(sum > 0)) {
    throw DataError("all targets are 0; criterion poisson expects a positive sum", "Use criterion squared_error.");
  }
}

void check_labels(const Dataset& data) {
  for (std::size_t row = 0; row < data.labels.size(); ++row) {
    if (data.labels[row] >= 0 && data.labels[row] < data.classes) continue;
    throw DataError(fmt::format("row {} has label {}; expected 0 to {}", row, data.labels[row], data.classes - 1),
                    "Labels are numbered from 0, below the data set's number of classes.");
  }
}

}  // namespace

Targets make_targets(const Dataset& data, Criterion criterion) {
  const std::size_t given = data.task == Task::classification ? data.labels.size() : data.targets.size();
  if (given != static_cast<std::size_t>(data.rows)) {
    throw DataError(fmt::format("the data set has {} rows and {} {}; expected one a row", data.rows, given,
                                data.task == Task::classification ? "labels" : "targets"),
                    "Training needs a target in every row.");
  }
  Targets targets;
  if (data.task == Task::classification) {
    check_labels(data);
    targets.classes = data.classes;
    targets.labels = data.labels;
    return targets;
  }
  check_targets(data, criterion);
  targets.values.reserve(data.targets.size());
  for (const double value : data.targets) targets.values.push_back(value + 0.0);
  return targets;
}

}  // namespace overtake::forest
