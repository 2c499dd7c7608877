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
  BatchRoom room;
  double visits = 0;
  Scoring scoring;

  void add_job(const Scoring& more) {
    room.jobs += 1;
    scoring.bytes += more.bytes;
    scoring.sums += more.sums;
    scoring.flagged += more.flagged;
  }
  [[nodiscard]] std::uint64_t bytes(const PlanCosts& costs) const {
    const auto tables = batch_layout(costs.rules, room);
    return std::accumulate(tables.begin(), tables.end(), scoring_tables * least_table) + scoring.bytes +
           scoring.flagged * static_cast<std::uint64_t>(room.nodes);
  }
  /// In memory.
  [[nodiscard]] bool fits(const PlanCosts& costs, std::uint64_t budget) const {
    return room.rows <= most_rows_together && room.nodes <= most_nodes_together && scoring.sums <= most_sums_together &&
           bytes(costs) <= budget;
  }
};

}  // namespace

void BatchRoom::add(const TreeRoom& room, std::int64_t count, const BatchRules& rules) noexcept {
  trees += count;
  rows += room.rows * count;
  nodes += room.nodes * count;
  if (room.rows > rules.large_rows) large += (room.rows / rules.large_rows + 1) * count;
}

std::array<std::uint64_t, batch_tables> batch_layout(const BatchRules& rules, const BatchRoom& room) {
  std::array<std::uint64_t, batch_tables> bytes{};
  const auto set = [&bytes](Table table, std::int64_t count, std::uint64_t each) {
    bytes[static_cast<std::size_t>(table)] = std::max(least_table, static_cast<std::uint64_t>(count) * each);
  };
  const auto words = [](std::int32_t count) { return sizeof(std::int32_t) * static_cast<std::uint64_t>(count); };
  const ShapeRow& shape = rules.shape;
  set(Table::trees, room.trees, sizeof(TreeRow));
  set(Table::jobs, room.jobs, sizeof(JobRow));
  set(Table::tallies, room.trees, sizeof(TallyRow));
  set(Table::control, 1, sizeof(ControlRow));
  set(Table::lists, room.rows, words(4));
  set(Table::nodes, room.nodes, sizeof(NodeRecord));
  set(Table::stats, room.nodes, words(shape.stats));
  set(Table::queue, room.queue(), sizeof(QueueRow));
  set(Table::given, room.large > 0 ? room.queue() : 0, sizeof(QueueRow));
  set(Table::active, room.large, sizeof(LevelRow));
  set(Table::next, room.large, sizeof(LevelRow));
  set(Table::large, room.large, sizeof(LargeRow));
  set(Table::features, room.large, words(shape.large_features));
  set(Table::swaps, room.large, words(shape.features));
  set(Table::hist, room.large, words(shape.large_hist));
  set(Table::chunks, room.rows / formulas::CHUNK + room.large + 1, words(1));
  const std::int64_t groups =
      std::max(std::min(room.queue(), rules.subtree_groups), std::min(room.large, rules.node_groups));
  set(Table::scratch, groups, words(shape.scratch));
  return bytes;
}

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
    whole.add_job(scoring);
    whole.room.add(room, trees, costs.rules);
    const double visits = visits_of(job, room.rows);
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
    alone.room.add(room, 1, costs.rules);
    alone.visits = visits / static_cast<double>(trees);
    if (!alone.fits(costs, budget)) refuse_tree(alone.bytes(costs), budget, false);
    waves.push_back({{index}, {}});
    std::int32_t first = job.first_tree;
    for (std::int32_t tree = job.first_tree; tree < job.trees; ++tree) {
      Load more = batch;
      more.room.add(room, 1, costs.rules);
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
