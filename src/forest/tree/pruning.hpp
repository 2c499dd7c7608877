// SPDX-License-Identifier: MIT
// Limits that cut a fully grown tree short: every candidate that differs only in these comes from one grown forest.
#pragma once

#include <cstdint>
#include <vector>

#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// For each node of `tree`: 1 where the view makes it a leaf (or it is one), in this order: depth, min_samples_split
/// and min_impurity_decrease (a split that decreases the weighted impurity by less is not made); then max_leaf_nodes
/// (best-first growth: the reachable leaf whose split decreases the weighted impurity most is split next; ties: the
/// lower depth-first number); then minimal cost-complexity pruning with ccp_alpha (Breiman et al. 1984, as in
/// scikit-learn). Exact arithmetic order: the same bits everywhere.
[[nodiscard]] std::vector<std::uint8_t> leaf_flags(const Problem& problem, const ForestJob& job, const View& view,
                                                   const GrownTree& tree);

/// The tree with the flagged nodes made leaves and everything below them gone; canonical order kept.
[[nodiscard]] GrownTree prune(const GrownTree& tree, const std::vector<std::uint8_t>& leaves, std::int32_t classes);

}  // namespace overtake::forest
