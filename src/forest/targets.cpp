// SPDX-License-Identifier: MIT
#include "forest/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forest/formulas.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

void check_targets(const Dataset& data, Criterion criterion) {
  double sum = 0;
  for (std::size_t row = 0; row < data.targets.size(); ++row) {
    const double value = data.targets[row];
    if (!std::isfinite(value)) {
      throw DataError(fmt::format("the target of row {} is {}; expected a finite number", row,
                                  std::isnan(value) ? "missing" : "infinite"),
                      "Remove the rows without a target.");
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

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

/// The exponent e with which `bound` * 2^e lies below 2^61, leaving a bit for rounding.
int exponent_below_limit(double bound) { return bound > 0 ? 60 - std::ilogb(bound) : 0; }

double logs(double value) {
  constexpr double ln2 = 0.69314718055994531;
  return value > 0 ? value * (formulas::forest_log2(value) * ln2) : 0.0;
}

void fill_numbers(const std::vector<double>& values, double total_weight, Targets& targets) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::fabs(value - targets.shift));
  targets.scale = std::ldexp(1.0, exponent_below_limit(most * total_weight));
  targets.numbers.reserve(values.size());
  for (const double value : values) {
    targets.numbers.push_back(std::llround((value - targets.shift) * targets.scale));
  }
}

void fill_squares(const std::vector<double>& values, double total_weight, Targets& targets) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::fabs(value - targets.shift));
  const int exponent = exponent_below_limit(most * most * total_weight);
  targets.square_scale = std::ldexp(1.0, exponent >= 0 ? exponent / 2 : (exponent - 1) / 2);  // rounded down
  targets.squares.reserve(values.size());
  for (const double value : values) {
    const double scaled = (value - targets.shift) * targets.square_scale;
    targets.squares.push_back(std::llround(scaled * scaled));
  }
}

void fill_logs(const std::vector<double>& values, double total_weight, Targets& targets) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::fabs(logs(value)));
  targets.square_scale = std::ldexp(1.0, exponent_below_limit(most * total_weight));
  targets.squares.reserve(values.size());
  for (const double value : values) {
    targets.squares.push_back(std::llround(logs(value) * targets.square_scale));
  }
}

}  // namespace

Targets make_targets(const Dataset& data, Criterion criterion, double total_weight) {
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
  targets.values = data.targets;
  if (criterion == Criterion::poisson) {
    fill_numbers(data.targets, total_weight, targets);
    fill_logs(data.targets, total_weight, targets);
  } else {
    targets.shift = static_cast<double>(static_cast<float>(mean_of(data.targets)));
    fill_numbers(data.targets, total_weight, targets);
    fill_squares(data.targets, total_weight, targets);
  }
  return targets;
}

}  // namespace overtake::forest
