// SPDX-License-Identifier: MIT
#include "forest/model/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "forest/grow/need.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace forest {
namespace {

constexpr std::int32_t no_limit = std::numeric_limits<std::int32_t>::max();

std::int32_t features_of(const MaxFeatures& wanted, std::int32_t features) {
  const auto at_least_one = [](double value) { return std::max(1, static_cast<std::int32_t>(value)); };
  switch (wanted.kind) {
    case MaxFeatures::Kind::sqrt: return at_least_one(std::sqrt(static_cast<double>(features)));
    case MaxFeatures::Kind::log2: return at_least_one(std::log2(static_cast<double>(features)));
    case MaxFeatures::Kind::all: return features;
    case MaxFeatures::Kind::fraction: return at_least_one(wanted.value * features);
    case MaxFeatures::Kind::count: break;
  }
  if (wanted.value > features) {
    throw DataError(fmt::format("max_features={}: the data has only {} features", wanted.value, features),
                    "Give at most that many, or a share such as 0.5.");
  }
  return at_least_one(wanted.value);
}

std::int32_t rounded_up(const CountOrFraction& wanted, std::int64_t rows) {
  const double value = wanted.is_fraction ? std::ceil(wanted.value * static_cast<double>(rows)) : wanted.value;
  return static_cast<std::int32_t>(std::min<double>(value, no_limit));
}

std::int64_t draws_of(const ForestParameters& parameters, std::int64_t rows) {
  if (!parameters.max_samples) return rows;
  const CountOrFraction& wanted = *parameters.max_samples;
  if (wanted.is_fraction) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(wanted.value * static_cast<double>(rows)));
  }
  if (wanted.value > static_cast<double>(rows)) {
    throw DataError(fmt::format("max_samples={}: there are only {} rows to train on", wanted.value, rows),
                    "Give at most that many, or a share such as 0.5.");
  }
  return static_cast<std::int64_t>(wanted.value);
}

}  // namespace

Resolved resolve(const ForestParameters& parameters, const Scope& scope) {
  Resolved resolved;
  ForestJob& job = resolved.job;
  job.rule.criterion = parameters.criterion;
  job.rule.random_thresholds = parameters.kind == ForestKind::extra_trees;
  job.rule.max_features = features_of(parameters.max_features, scope.features);
  job.rule.min_samples_leaf = std::max(1, rounded_up(parameters.min_samples_leaf, scope.rows));
  job.bootstrap = parameters.bootstrap;
  job.draws = parameters.bootstrap ? draws_of(parameters, scope.rows) : scope.rows;
  const double drawn_share =
      static_cast<double>(job.draws) / static_cast<double>(std::max<std::int64_t>(1, scope.rows));
  job.rule.min_weight_leaf = parameters.min_weight_fraction_leaf * scope.total_weight * drawn_share;
  job.fold = scope.fold;
  job.weights = scope.weights;
  job.trees = parameters.n_estimators;
  job.max_depth = parameters.max_depth.value_or(no_limit);
  job.min_samples_split = std::max(2, rounded_up(parameters.min_samples_split, scope.rows));
  job.seed = parameters.random_state;

  View& view = resolved.view;
  view.trees = job.trees;
  view.max_depth = job.max_depth;
  view.min_samples_split = job.min_samples_split;
  view.min_impurity_decrease = parameters.min_impurity_decrease;
  view.max_leaf_nodes = parameters.max_leaf_nodes.value_or(0);
  view.ccp_alpha = parameters.ccp_alpha;
  return resolved;
}

bool can_share(const ForestJob& a, const ForestJob& b) {
  return a.rule == b.rule && a.fold == b.fold && a.weights == b.weights && a.bootstrap == b.bootstrap &&
         a.draws == b.draws && a.seed == b.seed && a.first_tree == b.first_tree;
}

void widen(ForestJob& job, const ForestJob& other) {
  job.trees = std::max(job.trees, other.trees);
  job.max_depth = std::max(job.max_depth, other.max_depth);
  job.min_samples_split = std::min(job.min_samples_split, other.min_samples_split);
}

}  // namespace forest

}  // namespace overtake
