// SPDX-License-Identifier: MIT
#include "forest/model/assemble.hpp"
#include "overtake/forest/training.hpp"
#include "overtake/memory.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "forest/grow/need.hpp"
#include "forest/model/data_identity.hpp"
#include "forest/tree/finish.hpp"
#include "forest/tree/out_of_bag.hpp"
#include "forest/tree/pruning.hpp"
#include "platform/held_memory.hpp"

namespace overtake::forest {

Forest grow_forest(Grower& grower, const Problem& problem, const Dataset& data, const ForestRecipe& recipe,
                   std::vector<Tree> earlier, const StopToken* stop, ProgressObserver* observer) {
  ForestJob job = recipe.resolved.job;
  job.first_tree = static_cast<std::int32_t>(earlier.size());
  std::vector<GrownTree> grown;
  if (recipe.host_memory_limit > 0) platform::return_free_memory();  // of trees that a search scored before
  KeptTrees kept(std::max(0, job.trees - job.first_tree), std::max(1, problem.targets.classes),
                 TreeRoom::now(recipe.host_memory_limit));
  const auto take = [&](std::int32_t, std::int32_t tree, GrownTree one) {
    kept.add(static_cast<std::int64_t>(one.nodes.size()));
    grown.push_back(std::move(one));
    if (observer != nullptr) observer->on_progress({.done = tree + 1, .total = job.trees});
  };
  if (job.first_tree < job.trees) grower.grow({&job, 1}, take, stop);

  Forest forest;
  forest.parameters = recipe.parameters;
  forest.features = problem.data.edges.features;
  forest.classes = problem.targets.classes;
  forest.trees = std::move(earlier);
  forest.trees.resize(forest.trees.size() + grown.size());
  View view = recipe.resolved.view;
  parallel_for(grown.size(), [&](std::size_t i) {
    const std::int32_t number = job.first_tree + static_cast<std::int32_t>(i);
    GrownTree& tree = grown[i];
    if (view.needs_pruning()) tree = prune(tree, leaf_flags(problem, job, view, tree), problem.targets.classes);
    forest.trees[static_cast<std::size_t>(number)] = finish_tree(problem, job, tree, number);
    tree = {};
  });
  forest.feature_importances = importances_of(forest.trees, forest.features);
  forest.data_fingerprint = data_fingerprint(data, recipe.sample_weight);
  if (recipe.parameters.oob_score) add_out_of_bag(forest, problem, job, data);
  return forest;
}

void check_first_trees(Grower& grower, const Problem& problem, const ForestRecipe& recipe, double likely_nodes,
                       const StopToken* stop) {
  constexpr double surely = 1.5;
  ForestJob job = recipe.resolved.job;
  const std::int32_t trees = job.trees - job.first_tree, outputs = std::max(1, problem.targets.classes);
  const TreeRoom room = TreeRoom::now(recipe.host_memory_limit);
  KeptTrees kept(std::max(0, trees), outputs, room);
  const double most = std::min(surely * likely_nodes, static_cast<double>(most_nodes(problem, job)));
  const auto bytes = static_cast<double>(kept_bytes(static_cast<std::int64_t>(most), outputs));
  if (trees < KeptTrees::least || trees * bytes <= static_cast<double>(room.bytes)) return;
  job.trees = job.first_tree + KeptTrees::least;
  const auto take = [&](std::int32_t, std::int32_t, const GrownTree& tree) {
    kept.add(static_cast<std::int64_t>(tree.nodes.size()));
  };
  grower.grow({&job, 1}, take, stop);
}

}  // namespace overtake::forest
