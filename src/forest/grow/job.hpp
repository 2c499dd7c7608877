// SPDX-License-Identifier: MIT
// What is asked of a grower: forests to grow, and which parts of them to score.
#pragma once

#include <cstdint>

#include "overtake/forest/parameters.hpp"

namespace overtake::forest {

/// What a split is chosen by: everything that shapes a tree but the limits that only cut it short.
struct SplitRule {
  Criterion criterion = Criterion::gini;
  bool random_thresholds = false;  ///< extra trees
  std::int32_t max_features = 1;
  std::int32_t min_samples_leaf = 1;
  double min_weight_leaf = 0;  ///< in units of the sample weights (before scaling)

  friend bool operator==(const SplitRule&, const SplitRule&) = default;
};

/// One forest to grow: trees 0 .. trees - 1 on the training rows of one fold. Tree t depends on (seed, t), the rows,
/// the rule and the weights only, so a job with looser limits and more trees holds every job with tighter ones.
struct ForestJob {
  SplitRule rule;
  std::int32_t fold = 0;        ///< index into Problem::folds
  std::int32_t weights = 0;     ///< index into Problem::weights
  std::int32_t first_tree = 0;  ///< warm start grows from here
  std::int32_t trees = 0;       ///< last tree + 1
  std::int32_t max_depth = 0;   ///< the root has depth 0; INT32_MAX: none
  std::int32_t min_samples_split = 2;
  bool bootstrap = true;
  std::int64_t draws = 0;  ///< with bootstrap: rows drawn with replacement
  std::uint64_t seed = 0;
};

/// A candidate's view of a job's forest: its first `trees` trees, where nodes that the candidate's own limits would
/// have made leaves count as leaves.
struct View {
  std::int32_t job = 0;
  std::int32_t trees = 0;
  std::int32_t max_depth = 0;
  std::int32_t min_samples_split = 2;
  /// Limits that need whole trees (forest/tree/pruning.hpp).
  double min_impurity_decrease = 0;
  std::int32_t max_leaf_nodes = 0;  ///< 0: no limit
  double ccp_alpha = 0;

  [[nodiscard]] bool needs_pruning() const noexcept {
    return min_impurity_decrease > 0 || max_leaf_nodes > 0 || ccp_alpha > 0;
  }
};

}  // namespace overtake::forest
