// SPDX-License-Identifier: MIT
// Impurities of grown trees, in double, each right to the last few bits of its own node's spread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "forest/grow/grown_tree.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {

/// The rows of a tree as its leaves hold them: leaf after leaf in canonical order, ascending within each.
struct LeafRows {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> weights;  ///< fixed point
};

/// The rows of a tree's leaves, gathered from where growers that divide rows between two lists leave them: a node's
/// rows lie where its parent's did, the left child's first, in the list of its depth (even or odd), in any order.
[[nodiscard]] LeafRows leaf_rows(const GrownTree& tree, const std::array<LeafRows, 2>& lists);

/// The impurity of every node of a tree of numbers, as scikit-learn defines it for the criterion: the variance, or the
/// mean Poisson deviance (half of it, as there). Leaves are summed up about a target of their own, their rows in order;
/// nodes are put together from their children by adding terms that are never negative (Chan, Golub, LeVeque 1979), so
/// nothing is lost to what stands in other nodes, and the bits do not depend on who grew the tree.
[[nodiscard]] std::vector<double> number_impurities(const Targets& targets, Criterion criterion, const GrownTree& tree,
                                                    const LeafRows& leaves);

/// The impurity of every node: of class weights worked out here, of numbers those that the grower gave the tree.
/// Throws InternalError where it was not asked for them.
[[nodiscard]] std::vector<double> impurities_of(const Problem& problem, Criterion criterion, const GrownTree& tree);

}  // namespace overtake::forest
