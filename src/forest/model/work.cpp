// SPDX-License-Identifier: MIT
#include "overtake/forest/work.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "core/parallel.hpp"
#include "forest/grow/capacity.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/need.hpp"
#include "forest/model/host_memory.hpp"
#include "forest/model/pilot.hpp"
#include "forest/model/resolve.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace forest {
namespace {

/// A forest that is grown, and how much of it each candidate that it serves looks at.
struct Grown {
  const ForestParameters* of = nullptr;
  ForestJob job;
  std::set<std::pair<std::int32_t, std::int32_t>> limits;  ///< depth and rows to split: each is scored by itself
  double scored_trees = 0;
};

bool serves(const Grown& grown, const ForestParameters& parameters, const ForestJob& job) {
  return can_share(grown.job, job) && grown.of->class_weight == parameters.class_weight &&
         grown.of->max_bins == parameters.max_bins;
}

/// Candidates by the forests that serve them, as a search shares them.
std::vector<Grown> share(const std::vector<ForestParameters>& forests, const Scope& scope) {
  std::vector<Grown> all;
  for (const ForestParameters& parameters : forests) {
    Resolved resolved;
    try {
      resolved = resolve(parameters, scope);
    } catch (const DataError&) {
      continue;  // whoever trains it is told
    }
    const ForestJob& job = resolved.job;
    auto found =
        std::find_if(all.begin(), all.end(), [&](const Grown& grown) { return serves(grown, parameters, job); });
    if (found == all.end()) {
      found = all.insert(all.end(), {&parameters, job, {}, 0});
    } else {
      widen(found->job, job);
    }
    if (found->limits.emplace(job.max_depth, job.min_samples_split).second) found->scored_trees += job.trees;
  }
  return all;
}

/// One pilot for each way in which trees grow.
class Pilots {
 public:
  explicit Pilots(const Dataset& data) : data_(data) {}
  [[nodiscard]] const Pilot& of(const ForestParameters& parameters) {
    const auto key = std::tuple(parameters.criterion, parameters.kind, parameters.bootstrap);
    const auto found = pilots_.find(key);
    return found != pilots_.end() ? found->second : pilots_.emplace(key, Pilot(data_, parameters)).first->second;
  }

 private:
  const Dataset& data_;
  std::map<std::tuple<Criterion, ForestKind, bool>, Pilot> pilots_;
};

TreeLimits limits_of(const ForestJob& job) {
  TreeLimits limits;
  limits.depth = job.max_depth;
  limits.least_rows = std::max<double>(job.min_samples_split, 2.0 * job.rule.min_samples_leaf);
  return limits;
}

/// As devices plan it (forest/device/plan.cpp): lists of rows, nodes with their sums, histograms of large nodes.
double bytes_of_tree(const ForestJob& job, const Dataset& data, double rows, double hist_words) {
  const TreeCapacity capacity = tree_capacity(job, static_cast<std::int64_t>(rows));
  const double stats = data.task == Task::classification ? data.classes : formulas::NUMBER_STATS;
  double bytes = 16.0 * static_cast<double>(capacity.rows) +
                 static_cast<double>(capacity.nodes) * (sizeof(NodeRecord) + 4 * stats);
  if (static_cast<double>(capacity.rows) > large_node_rows) {
    const double large = std::floor(static_cast<double>(capacity.rows) / large_node_rows) + 1;
    bytes += 4 * large * hist_words * job.rule.max_features;
  }
  return bytes;
}

/// Growing one forest.
ForestWork work_of(const ForestParameters& parameters, const ForestJob& job, const Dataset& data, double rows,
                   const Pilot& pilot) {
  const double sums = data.task == Task::classification ? std::max(1, data.classes) : 3;
  const TreeLimits limits = limits_of(job);
  const double sampled = rows * (job.bootstrap ? static_cast<double>(job.draws) / std::max(1.0, rows) : 1.0);
  const TreeForecast tree = pilot.tree(std::min(rows, sampled), limits);
  const double trees = job.trees;
  const double features = job.rule.max_features;
  ForestWork work;
  work.trees = trees;
  work.nodes = trees * tree.nodes;
  work.looks = work.nodes * features;
  work.moves = trees * tree.moves;
  work.visits = work.moves * features;
  const double bins = std::min<double>(parameters.max_bins, pilot.distinct());
  work.bin_looks = work.looks * bins * sums;
  work.random_bin_looks = job.rule.random_thresholds ? work.bin_looks : 0;
  work.grown_bytes = trees * static_cast<double>(grown_bytes(2 * tree.nodes + 1, data.classes));
  work.small_looks = trees * tree.small_nodes * features;
  work.small_visits = trees * tree.small_moves * features;
  work.tree_bytes = trees * bytes_of_tree(job, data, rows, bins * sums);
  const TreeForecast chain = tree.is_large ? pilot.tree(large_node_rows, limits) : tree;
  work.chain_looks = chain.nodes * features;
  return work;
}

void times(ForestWork& work, double factor) {
  for (double* count :
       {&work.trees, &work.nodes, &work.looks, &work.visits, &work.moves, &work.bin_looks, &work.random_bin_looks,
        &work.small_looks, &work.small_visits, &work.scored, &work.results, &work.tree_bytes, &work.grown_bytes}) {
    *count *= factor;
  }
}

/// All forests of one fold, scored.
ForestWork work_of_fold(const std::vector<Grown>& grown, const Dataset& data, const Scope& scope,
                        const ForestFits& fits, Pilots& pilots) {
  ForestWork sum;
  double visits = 0;
  for (const Grown& one : grown) visits += visits_of(one.job, scope.rows) * static_cast<double>(fits.folds);
  check_visits(visits);
  for (const Grown& one : grown) {
    const double rows = static_cast<double>(scope.rows);
    ForestWork work = work_of(*one.of, one.job, data, rows, pilots.of(*one.of));
    work.scored = static_cast<double>(fits.test_rows) * one.scored_trees * (work.moves / (work.trees * rows) + 1);
    // While they are scored each tree has shares and, for each limit, where rows stop.
    const double outputs = std::max(1, data.classes);
    const double tables = (2 * work.nodes + work.trees) *
                          (sizeof(double) * outputs + sizeof(std::int32_t) * static_cast<double>(one.limits.size()));
    work.grown_bytes += tables;
    const double others = sum.tree_bytes;
    sum += work;
    sum.tree_bytes = others + work.tree_bytes;  // of a fold all together; the model comes after them
  }
  return sum;
}

}  // namespace
}  // namespace forest

ForestWork& ForestWork::operator+=(const ForestWork& more) {
  cells += more.cells;
  forests += more.forests;
  trees += more.trees;
  nodes += more.nodes;
  looks += more.looks;
  visits += more.visits;
  moves += more.moves;
  bin_looks += more.bin_looks;
  random_bin_looks += more.random_bin_looks;
  small_looks += more.small_looks;
  small_visits += more.small_visits;
  numbers = numbers || more.numbers;
  chain_looks = std::max(chain_looks, more.chain_looks);
  scored += more.scored;
  results += more.results;
  kept_nodes += more.kept_nodes;
  tree_bytes = std::max(tree_bytes, more.tree_bytes);
  grown_bytes += more.grown_bytes;
  host_bytes = std::max(host_bytes, more.host_bytes);
  host_bytes_beside = std::max(host_bytes_beside, more.host_bytes_beside);
  data_bytes = std::max(data_bytes, more.data_bytes);
  return *this;
}

report::Json to_json(const ForestWork& work) {
  report::Json json = report::Json::object();
  json.set("cells", work.cells).set("forests", work.forests).set("trees", work.trees).set("nodes", work.nodes);
  json.set("looks", work.looks).set("visits", work.visits).set("moves", work.moves);
  json.set("bin_looks", work.bin_looks).set("random_bin_looks", work.random_bin_looks);
  json.set("small_looks", work.small_looks).set("small_visits", work.small_visits);
  json.set("numbers", work.numbers);
  json.set("chain_looks", work.chain_looks).set("scored", work.scored).set("results", work.results);
  json.set("kept_nodes", work.kept_nodes).set("tree_bytes", work.tree_bytes);
  json.set("data_bytes", work.data_bytes).set("grown_bytes", work.grown_bytes);
  return json.set("host_bytes", work.host_bytes).set("host_bytes_beside", work.host_bytes_beside);
}

ForestWork forest_work(const Dataset& data, const std::vector<ForestParameters>& forests, const ForestFits& fits) {
  const auto features = static_cast<std::int32_t>(data.features);
  const auto scope_of = [&](std::int64_t rows) {
    return forest::Scope{features, rows, static_cast<double>(rows), 0, 0};
  };
  ForestWork work;
  if (forests.empty()) return work;
  forest::Pilots pilots(data);
  if (fits.folds > 0) {
    const forest::Scope scope = scope_of(data.rows - fits.test_rows);
    const std::vector<forest::Grown> grown = forest::share(forests, scope);
    work = forest::work_of_fold(grown, data, scope, fits, pilots);
    forest::times(work, static_cast<double>(fits.folds));
    work.forests = static_cast<std::int64_t>(grown.size()) * fits.folds;
    work.results = static_cast<double>(fits.folds * fits.test_rows) * static_cast<double>(forests.size());
  }
  work.numbers = data.task == Task::regression;
  std::set<int> bins;
  for (const ForestParameters& parameters : forests) bins.insert(parameters.max_bins);
  work.cells = static_cast<double>(data.rows) * static_cast<double>(data.features) * static_cast<double>(bins.size());
  const double wide = *bins.rbegin() > 256 ? 2 : 1;
  const double folds = static_cast<double>(fits.folds) + 1;
  work.data_bytes = wide * work.cells + static_cast<double>(data.rows) * (12 + 4 * folds);
  if (!fits.keeps_model) return work;
  // Which candidate is the best nobody knows: the mean of them.
  ForestWork kept;
  const forest::TreeRoom room = forest::TreeRoom::now(0);
  for (const ForestParameters& parameters : forests) {
    forest::KeptTrees(parameters.n_estimators, std::max(1, data.classes), room);
    try {
      const forest::Resolved resolved = forest::resolve(parameters, scope_of(data.rows));
      forest::check_visits(forest::visits_of(resolved.job, data.rows));
      kept += forest::work_of(parameters, resolved.job, data, static_cast<double>(data.rows), pilots.of(parameters));
    } catch (const DataError&) {  // NOLINT(bugprone-empty-catch): whoever trains it is told
    }
  }
  forest::times(kept, 1 / static_cast<double>(forests.size()));
  kept.kept_nodes = 2 * kept.nodes + kept.trees;
  kept.grown_bytes = 0;
  forest::ForestNeed need{.rows = data.rows, .features = features, .classes = data.classes, .max_bins = *bins.rbegin()};
  need.trees = std::llround(kept.trees);
  need.nodes = kept.trees > 0 ? kept.kept_nodes / kept.trees : 1;
  kept.host_bytes_beside = static_cast<double>(host_memory_of(need).bytes(MemoryPlace::host));
  need.growing = thread_count();
  kept.host_bytes = static_cast<double>(host_memory_of(need).bytes(MemoryPlace::host));
  work += kept;
  return work;
}

}  // namespace overtake
