// SPDX-License-Identifier: MIT
#include "forest/device/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forest/grow/need.hpp"

namespace overtake::forest {
namespace {

constexpr std::int64_t most_rows_together = std::int64_t{1} << 29;   // four lists are addressed by 31 bits
constexpr std::int64_t most_nodes_together = std::int64_t{1} << 28;  // in elements of a table
constexpr std::int64_t most_sums_together = std::int64_t{1} << 29;   // doubles, cleared as words numbered in 31 bits

/// What the scores of a job take, however few of its trees are grown together.
struct Scoring {
  std::uint64_t bytes = 0;
  std::int64_t sums = 0;      // numbers
  std::uint64_t flagged = 0;  // limits that need a flag a node
};

Scoring scoring_of(const Problem& problem, std::span<const ForestJob> jobs, std::span<const Limits> limits,
                   const PlanCosts& costs, std::int32_t job) {
  Scoring scoring;
  for (const Limits& limit : limits) {
    if (limit.job != job) continue;
    const std::uint64_t rows = problem.folds[jobs[job].fold].test.size();
    const std::uint64_t members = limit.members.size();
    scoring.bytes += costs.bytes_per_limit + members * costs.bytes_per_member;
    scoring.bytes += rows * (costs.bytes_per_sum_row + members * costs.bytes_per_prediction);
    scoring.sums += static_cast<std::int64_t>(rows) * std::max(problem.targets.classes, 1);
    if (limit.view.needs_pruning()) ++scoring.flagged;
  }
  return scoring;
}

/// Counts what the current batch takes.
struct Load {
  std::int64_t rows = 0, nodes = 0;
  double visits = 0;
  std::int64_t queue = 0;  // room for subtrees that wait
  std::uint64_t tree_bytes = 0, group_bytes = 0;
  Scoring scoring;

  void add(const Scoring& more) {
    scoring.bytes += more.bytes;
    scoring.sums += more.sums;
    scoring.flagged += more.flagged;
  }
  void add(const TreeRoom& room, const PlanCosts& costs, std::int64_t trees) {
    rows += room.rows * trees;
    nodes += room.nodes * trees;
    const std::int64_t large = room.rows > costs.large_rows ? room.rows / costs.large_rows + 1 : 0;
    const std::uint64_t each = costs.bytes_per_tree + static_cast<std::uint64_t>(room.rows) * costs.bytes_per_row +
                               static_cast<std::uint64_t>(room.nodes) * costs.bytes_per_node +
                               static_cast<std::uint64_t>(large) * costs.bytes_per_large;
    tree_bytes += static_cast<std::uint64_t>(trees) * each;
    queue += trees * (1 + subtrees_per_large * large);
    group_bytes = static_cast<std::uint64_t>(std::min(queue, costs.most_groups)) * costs.bytes_per_group;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    return tree_bytes + group_bytes + scoring.bytes + scoring.flagged * static_cast<std::uint64_t>(nodes);
  }
  /// In memory.
  [[nodiscard]] bool fits(std::uint64_t budget) const {
    return rows <= most_rows_together && nodes <= most_nodes_together && scoring.sums <= most_sums_together &&
           bytes() <= budget;
  }
};

}  // namespace

TreeRoom room_for(const Problem& problem, const ForestJob& job) {
  const auto train = static_cast<std::int64_t>(problem.folds[job.fold].train.size());
  TreeRoom room;
  room.rows = train;
  if (job.bootstrap) {
    // Distinct rows among the draws: n (1 - e^(-draws/n)), with a standard deviation below 0.5 sqrt(n). Draws are
    // counted in two lists, so these hold at least one word for each training row.
    const auto n = static_cast<double>(train);
    const double expected = n * -std::expm1(-static_cast<double>(job.draws) / n);
    const auto likely = static_cast<std::int64_t>(expected + 12 * std::sqrt(n)) + 64;
    room.rows = std::min({train, job.draws, likely});
    room.rows = std::max(room.rows, (train + 1) / 2);
  } else {
    room.rows = std::max<std::int64_t>(room.rows, 1);
  }
  std::int64_t leaves = std::max<std::int64_t>(1, room.rows / std::max(1, job.rule.min_samples_leaf));
  if (job.max_depth < 40) leaves = std::min(leaves, std::int64_t{1} << job.max_depth);
  room.nodes = 2 * leaves + 1;
  return room;
}

std::vector<Wave> plan_waves(const Problem& problem, std::span<const ForestJob> jobs, std::span<const Limits> limits,
                             const PlanCosts& costs, std::uint64_t budget) {
  std::vector<Wave> waves;
  Load load;
  bool open = false;  // may the last wave take another job?
  for (std::int32_t index = 0; index < static_cast<std::int32_t>(jobs.size()); ++index) {
    const ForestJob& job = jobs[index];
    const TreeRoom room = room_for(problem, job);
    const Scoring scoring = scoring_of(problem, jobs, limits, costs, index);
    const std::int64_t trees = job.trees - job.first_tree;
    Load whole = open ? load : Load{};
    whole.add(scoring);
    whole.add(room, costs, trees);
    const double visits = visits_of(job, room.rows);
    whole.visits += visits;
    if (open && whole.fits(budget) && whole.visits <= costs.most_visits) {
      waves.back().jobs.push_back(index);
      waves.back().batches.back().ranges.push_back({index, job.first_tree, job.trees});
      load = whole;
      continue;
    }
    Load alone;
    alone.add(scoring);
    alone.add(room, costs, 1);
    if (!alone.fits(budget)) refuse_tree(alone.bytes(), budget, false);
    waves.push_back({{index}, {}});
    Load batch;
    batch.add(scoring);
    std::int32_t first = job.first_tree;
    for (std::int32_t tree = job.first_tree; tree < job.trees; ++tree) {
      Load more = batch;
      more.add(room, costs, 1);
      more.visits += visits / static_cast<double>(trees);
      if (tree > first && (!more.fits(budget) || more.visits > costs.most_visits)) {
        waves.back().batches.push_back({{{index, first, tree}}});
        first = tree;
        more = Load{};
        more.add(scoring);
        more.add(room, costs, 1);
        more.visits = visits / static_cast<double>(trees);
      }
      batch = more;
    }
    waves.back().batches.push_back({{{index, first, job.trees}}});
    open = waves.back().batches.size() == 1;
    load = batch;
  }
  return waves;
}

}  // namespace overtake::forest
