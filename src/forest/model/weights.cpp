// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/nearest.hpp"
#include "core/sample_weights.hpp"
#include "forest/model/resolve.hpp"
#include "forest/problem/targets.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/work.hpp"

namespace overtake::forest {
namespace {

constexpr double limit = 2147483648.0;  // 2^31

std::vector<double> balanced(std::span<const std::int32_t> labels, std::int32_t classes,
                             std::span<const std::int32_t> rows) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const std::int32_t row : rows) ++counts[labels[row]];
  const auto present = std::count_if(counts.begin(), counts.end(), [](std::int64_t count) { return count > 0; });
  std::vector<double> factors(counts.size(), 1.0);
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) continue;
    factors[c] = static_cast<double>(rows.size()) / (static_cast<double>(present) * static_cast<double>(counts[c]));
  }
  return factors;
}

std::vector<double> given(const ClassWeight& class_weight, std::int32_t classes,
                          std::span<const std::string> class_names) {
  std::vector<std::string> names(class_names.begin(), class_names.end());
  for (std::int32_t c = static_cast<std::int32_t>(names.size()); c < classes; ++c) names.push_back(std::to_string(c));
  std::vector<double> factors(names.size(), 1.0);
  for (const auto& [name, weight] : class_weight.given) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) {
      factors[found - names.begin()] = weight;
      continue;
    }
    const std::string near = nearest(name, names);
    throw UsageError(fmt::format("class_weight: there is no class \"{}\"", name),
                     near.empty() ? "Name classes as they stand in the data." : fmt::format("Did you mean {}?", near));
  }
  return factors;
}

/// One factor a class, or nothing when there are none to apply.
std::vector<double> class_factors_of(const ClassWeight& class_weight, const Dataset& data, const TrainingRows& training,
                                     std::span<const std::string> class_names) {
  switch (class_weight.kind) {
    case ClassWeight::Kind::equal: return {};
    case ClassWeight::Kind::given: return given(class_weight, data.classes, class_names);
    case ClassWeight::Kind::balanced_subsample:
      if (training.draws > 0) return {};
      break;
    case ClassWeight::Kind::balanced: break;
  }
  return balanced(data.labels, data.classes, training.rows);
}

struct RowSummary {
  double sum = 0, squares = 0, most = 0;
  bool whole = true;
};

RowSummary summary_of(const Weights& weights, std::span<const std::int32_t> rows) {
  if (weights.row.empty()) return {static_cast<double>(rows.size()), static_cast<double>(rows.size()), 1, true};
  RowSummary summary;
  for (const std::int32_t row : rows) {
    const double weight = weights.row[row];
    summary.sum += weight;
    summary.squares += weight * weight;
    summary.most = std::max(summary.most, weight);
    summary.whole = summary.whole && weight == std::floor(weight);
  }
  return summary;
}

/// The bound before scaling.
double unscaled_bound(const Weights& weights, const RowSummary& summary, const TrainingRows& training) {
  if (training.draws == 0) return summary.sum;
  const auto draws = static_cast<double>(training.draws);
  // Balanced for each tree, the classes' factors sum up to the draws; a heavy class can be all there is of a tree.
  if (weights.balance_each_tree) return draws * summary.most;
  constexpr double log_of_odds = 69.32;  // ln 2^100
  const auto rows = static_cast<double>(training.rows.size());
  const double mean = summary.sum / rows;
  const double variance = std::max(0.0, summary.squares / rows - mean * mean);
  const double third = summary.most * log_of_odds / 3;
  const double excess = third + std::sqrt(third * third + 2 * draws * variance * log_of_odds);
  return std::min(draws * summary.most, draws * mean + excess);
}

/// A unit of rounding for each row that a tree may hold.
double rounding_of(const Weights& weights, const TrainingRows& training) {
  if (weights.row.empty() && !weights.balance_each_tree) return 0;
  const auto rows = static_cast<double>(training.rows.size());
  return training.draws > 0 ? std::min(rows, static_cast<double>(training.draws)) : rows;
}

}  // namespace

Weights make_weights(const Dataset& data, const TrainingRows& training, std::span<const float> sample_weight,
                     const ClassWeight& class_weight, std::span<const std::string> class_names) {
  if (class_weight.kind != ClassWeight::Kind::equal && data.task == Task::regression) {
    throw UsageError("class_weight is not accepted in regression; expected none", "Give sample weights instead.");
  }
  check_sample_weights(sample_weight, data.rows);
  const auto rows = static_cast<std::size_t>(data.rows);

  Weights weights;
  weights.balance_each_tree = class_weight.kind == ClassWeight::Kind::balanced_subsample && training.draws > 0;
  const std::vector<double> factors = class_factors_of(class_weight, data, training, class_names);
  bool all_one = true;
  std::vector<double> row_weights(rows, 1.0);
  for (const std::int32_t row : training.rows) {
    if (!sample_weight.empty()) row_weights[row] = static_cast<double>(sample_weight[row]);
    if (!factors.empty()) row_weights[row] *= factors[data.labels[row]];
    all_one = all_one && row_weights[row] == 1;
  }
  if (!all_one) weights.row = std::move(row_weights);

  const RowSummary summary = summary_of(weights, training.rows);
  if (!(summary.most > 0) && !training.rows.empty()) {
    throw DataError("all weights of the rows to train on are 0; expected at least one above 0");
  }
  const double bound = unscaled_bound(weights, summary, training);
  if (summary.whole && !weights.balance_each_tree && bound < limit) return weights;
  const double capacity = limit - rounding_of(weights, training);
  if (bound > 0) weights.scale = std::ldexp(1.0, std::ilogb(capacity / bound));
  if (bound * weights.scale >= capacity) weights.scale /= 2;
  return weights;
}

std::int64_t count_too_light(const Weights& weights, std::span<const std::int32_t> rows) {
  if (weights.row.empty()) return 0;
  return std::count_if(rows.begin(), rows.end(), [&](std::int32_t row) {
    return weights.row[row] > 0 && weights.row[row] * weights.scale < 0.5;
  });
}

}  // namespace overtake::forest

namespace overtake {

void check_fits(const ForestParameters& parameters, const Dataset& data, std::int64_t rows,
                std::span<const std::string> class_names) {
  if (parameters.class_weight.kind == ClassWeight::Kind::given) {
    static_cast<void>(forest::given(parameters.class_weight, data.classes, class_names));
  }
  const std::int64_t trained = rows > 0 ? rows : data.rows;
  const forest::Scope scope{static_cast<std::int32_t>(data.features), trained, static_cast<double>(trained), 0, 0};
  static_cast<void>(forest::resolve(parameters, scope));
}

}  // namespace overtake
