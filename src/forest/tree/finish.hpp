// SPDX-License-Identifier: MIT
// From what growers make to what users see.
#pragma once

#include <span>
#include <vector>

#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest/forest.hpp"

namespace overtake::forest {

/// The threshold of a split: the middle of the two values next to the cut, both present in the node (computed as
/// scikit-learn does, in double from float32 values); for features in quantile bins moved between two bins where the
/// middle falls inside one. Infinity when only missing values go right.
[[nodiscard]] double threshold_of(const BinEdges& edges, const NodeRecord& node, bool random_thresholds,
                                  std::uint64_t seed, std::int32_t tree);

/// A user's tree. A tree of numbers must have been grown with its impurities.
[[nodiscard]] Tree finish_tree(const Problem& problem, const ForestJob& job, const GrownTree& grown, std::int32_t tree);

/// Weighted impurity decrease of each feature, normalised to sum 1 for each tree, then averaged over the trees and
/// normalised again (scikit-learn's feature_importances_).
[[nodiscard]] std::vector<double> importances_of(const std::vector<Tree>& trees, std::int32_t features);

}  // namespace overtake::forest
