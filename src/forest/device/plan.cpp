// SPDX-License-Identifier: MIT
#include "forest/device/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forest/grow/need.hpp"

namespace overtake::forest {
namespace {

constexpr std::int64_t most_rows_together = std::int64_t{1} << 29;   // four lists are addressed by 31 bits
constexpr std::int64_t most_nodes_together = std::int64_t{1} << 28;  // in elements of a table
constexpr std::int64_t most_sums_together = std::int64_t{1} << 29;   // doubles, cleared as words numbered in 31 bits

constexpr std::uint64_t least_table = 16;    // bytes of a buffer of nothing
constexpr std::uint64_t scoring_tables = 6;  // those of KernelScorer

/// What the scores of a job take, however few of its trees are grown together.
struct Scoring {
  std::uint64_t bytes = 0;
  std::int64_t sums = 0;      // numbers
  std::uint64_t flagged = 0;  // limits that need a flag a node
};

Scoring scoring_of(const Problem& problem, std::span<const ForestJob> jobs, std::span<const Limits> limits,
                   const PlanCosts& costs, std::int32_t job) {
  const auto outputs = static_cast<std::uint64_t>(std::max(problem.targets.classes, 1));
  Scoring scoring;
  for (const Limits& limit : limits) {
    if (limit.job != job) continue;
    const std::uint64_t rows = problem.folds[jobs[job].fold].test.size();
    const std::uint64_t members = limit.members.size();
    const std::uint64_t results = rows * outputs;
    scoring.bytes += sizeof(LimitRow) + members * (sizeof(MemberRow) + sizeof(std::int32_t));
    scoring.bytes += sizeof(double) * results * (1 + (costs.keeps_predictions ? members : 0));
    scoring.sums += static_cast<std::int64_t>(results);
    if (limit.view.needs_pruning()) ++scoring.flagged;
  }
  return scoring;
}

/// Counts what the current batch takes.
struct Load {
  BatchCapacity capacity;
  double visits = 0;
  Scoring scoring;

  void add_job(const Scoring& more) {
    capacity.jobs += 1;
    scoring.bytes += more.bytes;
    scoring.sums += more.sums;
    scoring.flagged += more.flagged;
  }
  [[nodiscard]] std::uint64_t bytes(const PlanCosts& costs) const {
    const auto tables = batch_layout(costs.rules, capacity);
    return std::accumulate(tables.begin(), tables.end(), scoring_tables * least_table) + scoring.bytes +
           scoring.flagged * static_cast<std::uint64_t>(capacity.nodes);
  }
  /// In memory.
  [[nodiscard]] bool fits(const PlanCosts& costs, std::uint64_t budget) const {
    return capacity.rows <= most_rows_together && capacity.nodes <= most_nodes_together &&
           scoring.sums <= most_sums_together && bytes(costs) <= budget;
  }
};

}  // namespace

void BatchCapacity::add(const TreeCapacity& capacity, std::int64_t count, const BatchRules& rules) noexcept {
  trees += count;
  rows += capacity.rows * count;
  nodes += capacity.nodes * count;
  if (capacity.rows > rules.large_rows) large += (capacity.rows / rules.large_rows + 1) * count;
}

std::array<std::uint64_t, batch_tables> batch_layout(const BatchRules& rules, const BatchCapacity& capacity) {
  std::array<std::uint64_t, batch_tables> bytes{};
  const auto set = [&bytes](Table table, std::int64_t count, std::uint64_t each) {
    bytes[static_cast<std::size_t>(table)] = std::max(least_table, static_cast<std::uint64_t>(count) * each);
  };
  const auto words = [](std::int32_t count) { return sizeof(std::int32_t) * static_cast<std::uint64_t>(count); };
  const ShapeRow& shape = rules.shape;
  set(Table::trees, capacity.trees, sizeof(TreeRow));
  set(Table::jobs, capacity.jobs, sizeof(JobRow));
  set(Table::tallies, capacity.trees, sizeof(TallyRow));
  set(Table::control, 1, sizeof(ControlRow));
  set(Table::lists, capacity.rows, words(4));
  set(Table::nodes, capacity.nodes, sizeof(NodeRecord));
  set(Table::stats, capacity.nodes, words(shape.stats));
  set(Table::queue, capacity.queue(), sizeof(QueueRow));
  set(Table::given, capacity.large > 0 ? capacity.queue() : 0, sizeof(QueueRow));
  set(Table::active, capacity.large, sizeof(LevelRow));
  set(Table::next, capacity.large, sizeof(LevelRow));
  set(Table::large, capacity.large, sizeof(LargeRow));
  set(Table::features, capacity.large, words(shape.large_features));
  set(Table::swaps, capacity.large, words(shape.features));
  set(Table::hist, capacity.large, words(shape.large_hist));
  set(Table::chunks, capacity.rows / formulas::CHUNK + capacity.large + 1, words(1));
  const std::int64_t groups =
      std::max(std::min(capacity.queue(), rules.subtree_groups), std::min(capacity.large, rules.node_groups));
  set(Table::scratch, groups, words(shape.scratch));
  return bytes;
}

std::uint64_t filled_bytes(const BatchRules& rules, const BatchCapacity& capacity, double nodes) {
  const auto tables = batch_layout(rules, capacity);
  const auto of = [&tables](Table table) { return tables[static_cast<std::size_t>(table)]; };
  const std::uint64_t room = of(Table::nodes) + of(Table::stats);
  const double share = std::min(1.0, nodes / static_cast<double>(std::max<std::int64_t>(1, capacity.nodes)));
  return std::accumulate(tables.begin(), tables.end(), std::uint64_t{0}) - room +
         static_cast<std::uint64_t>(share * static_cast<double>(room));
}

TreeCapacity capacity_for(const Problem& problem, const ForestJob& job) {
  return tree_capacity(job, static_cast<std::int64_t>(problem.folds[job.fold].train.size()));
}

std::vector<Wave> plan_waves(const Problem& problem, std::span<const ForestJob> jobs, std::span<const Limits> limits,
                             const PlanCosts& costs, std::uint64_t budget) {
  std::vector<Wave> waves;
  Load load;
  bool open = false;  // may the last wave take another job?
  for (std::int32_t index = 0; index < static_cast<std::int32_t>(jobs.size()); ++index) {
    const ForestJob& job = jobs[index];
    const TreeCapacity capacity = capacity_for(problem, job);
    const Scoring scoring = scoring_of(problem, jobs, limits, costs, index);
    const std::int64_t trees = job.trees - job.first_tree;
    Load whole = open ? load : Load{};
    whole.add_job(scoring);
    whole.capacity.add(capacity, trees, costs.rules);
    const double visits = visits_of(job, capacity.rows);
    whole.visits += visits;
    if (open && whole.fits(costs, budget) && whole.visits <= costs.most_visits) {
      waves.back().jobs.push_back(index);
      waves.back().batches.back().ranges.push_back({index, job.first_tree, job.trees});
      load = whole;
      continue;
    }
    Load batch;
    batch.add_job(scoring);
    Load alone = batch;
    alone.capacity.add(capacity, 1, costs.rules);
    alone.visits = visits / static_cast<double>(trees);
    if (!alone.fits(costs, budget)) refuse_tree(alone.bytes(costs), budget, costs.limit, false);
    waves.push_back({{index}, {}});
    std::int32_t first = job.first_tree;
    for (std::int32_t tree = job.first_tree; tree < job.trees; ++tree) {
      Load more = batch;
      more.capacity.add(capacity, 1, costs.rules);
      more.visits += alone.visits;
      if (tree > first && (!more.fits(costs, budget) || more.visits > costs.most_visits)) {
        waves.back().batches.push_back({{{index, first, tree}}});
        first = tree;
        more = alone;
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
