// SPDX-License-Identifier: MIT
// A user's forest from a grower's trees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/grow/grower.hpp"
#include "forest/model/resolve.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest/training.hpp"

namespace overtake::forest {

/// What is known of a forest beside its trees.
struct ForestRecipe {
  const ForestParameters& parameters;
  Resolved resolved;                          ///< its job and view
  std::span<const float> sample_weight = {};  ///< empty, or one a row of the data set
  std::uint64_t host_memory_limit = 0;        ///< see ForestOptions
};

/// Grows the recipe's trees and makes them a forest: pruned as the view says, with importances, and with the out-of-bag
/// score if asked for. `earlier`: trees that come first (warm start). When `stop` is requested, the trees grown so far
/// are the forest. Throws DeviceError where the trees would not fit into the computer's memory (forest/grow/need.hpp).
[[nodiscard]] Forest grow_forest(Grower& grower, const Problem& problem, const Dataset& data,
                                 const ForestRecipe& recipe, std::vector<Tree> earlier, const StopToken* stop,
                                 ProgressObserver* observer);

/// For plans: throws what grow_forest() throws of the first trees, which are grown unless the forest fits however large
/// they are, or where trees of `likely_nodes` leave half of their size more.
void check_first_trees(Grower& grower, const Problem& problem, const ForestRecipe& recipe, double likely_nodes,
                       const StopToken* stop);

}  // namespace overtake::forest
