// SPDX-License-Identifier: MIT
// A user's forest from a grower's trees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/growth.hpp"
#include "forest/resolve.hpp"

namespace overtake::forest {

/// What is known of a forest beside its trees.
struct ForestRecipe {
  const ForestParameters& parameters;
  Resolved resolved;  ///< its job and view
};

/// Grows the recipe's trees and makes them a forest: pruned as the view says, with importances, and with the out-of-bag
/// score if asked for. `earlier`: trees that come first (warm start). When `stop` is requested, the trees grown so far
/// are the forest.
[[nodiscard]] Forest grow_forest(Grower& grower, const Problem& problem, const Dataset& data,
                                 const ForestRecipe& recipe, std::vector<Tree> earlier, const StopToken* stop,
                                 ForestObserver* observer);

/// Calls body(i) for i < count on the threads of the cpu device; rethrows the first exception.
void on_host_threads(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace overtake::forest
