// SPDX-License-Identifier: MIT
// Forests on the threads of the CPU: trees are grown side by side, scores are added in tree order.
#include "forest/host/grower.hpp"

#include <algorithm>
#include <optional>

#include "core/clock.hpp"
#include "core/parallel.hpp"
#include "core/stop.hpp"
#include "forest/grow/need.hpp"
#include "forest/host/scoring.hpp"
#include "forest/host/tree.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {
namespace {

struct TreeTask {
  std::int32_t job = 0, tree = 0;
};

class HostGrower final : public Grower {
 public:
  HostGrower(const Problem& problem, const GrowerLimit& limit) : problem_(problem), limit_(limit) {
    stats_.data_bytes = problem.data.size_bytes();
  }

  void grow(std::span<const ForestJob> jobs, const std::function<void(std::int32_t, std::int32_t, GrownTree)>& take,
            const StopToken* stop) override {
    const Capacity capacity = capacity_for(jobs);
    for (const std::vector<TreeTask>& round : rounds(jobs, capacity, 16 * usable_threads())) {
      std::vector<std::optional<GrownTree>> trees = grow_round(jobs, round, stop);
      for (std::size_t i = 0; i < round.size(); ++i) {
        if (!trees[i]) return;
        take(round[i].job, round[i].tree, std::move(*trees[i]));
      }
    }
  }

  [[nodiscard]] std::optional<std::vector<FoldOutcome>> score(std::span<const ForestJob> jobs,
                                                              std::span<const View> views, bool predictions,
                                                              const StopToken* stop) override {
    std::vector<FoldOutcome> outcomes(views.size());
    std::vector<std::vector<Limits>> limits_of_job(jobs.size());
    for (Limits& limits : group_limits(views)) limits_of_job[limits.job].push_back(std::move(limits));
    std::vector<std::unique_ptr<JobScorer>> scorers(jobs.size());
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      scorers[job] = std::make_unique<JobScorer>(problem_, jobs[job], std::move(limits_of_job[job]), predictions);
    }
    const Capacity capacity = capacity_for(jobs);
    for (const std::vector<TreeTask>& round : rounds(jobs, capacity)) {
      const std::optional<std::vector<GrownTree>> trees = all_of(grow_round(jobs, round, stop));
      if (!trees) return std::nullopt;
      const auto start = Clock::now();
      const bool scored = score_round(round, *trees, scorers, outcomes, stop);
      stats_.scoring_seconds += seconds_since(start);
      if (!scored) return std::nullopt;
    }
    return outcomes;
  }

  [[nodiscard]] GrowerStats stats() const override { return stats_; }

  [[nodiscard]] HostRound host_round(std::span<const ForestJob> jobs, double /*filled*/) override {
    const Capacity capacity = capacity_for(jobs);
    HostRound largest{capacity.threads, 0};
    for (const std::vector<TreeTask>& round : rounds(jobs, capacity))
      largest.trees = std::max(largest.trees, round.size());
    return largest;
  }

 private:
  /// How many trees may grow at once, and the bytes that the trees of a round may take.
  struct Capacity {
    std::size_t threads = 1;
    std::uint64_t bytes = 0;
  };

  /// Each time anew: a search that also feeds another device leaves a thread for that, and its refit does not.
  [[nodiscard]] static std::size_t usable_threads() { return static_cast<std::size_t>(std::max(1, thread_count())); }

  /// Throws DeviceError when not even one tree fits beside the data.
  [[nodiscard]] Capacity capacity_for(std::span<const ForestJob> jobs) {
    constexpr std::uint64_t default_limit = std::uint64_t{2} << 30;
    const std::size_t threads = usable_threads();
    if (growers_.size() < threads) growers_.resize(threads);
    Capacity capacity{threads, std::min(default_limit, host_memory_left(0) / 2)};
    if (limit_.bytes > 0) {
      std::uint64_t rows = 0;
      std::uint64_t tree = 0;
      for (const ForestJob& job : jobs) {
        rows = std::max<std::uint64_t>(rows, problem_.folds[job.fold].train.size());
        tree = std::max(tree, largest_tree(job));
      }
      const std::uint64_t grower = host_grower_bytes(rows, problem_.targets.classes, problem_.data.edges.widest());
      const std::uint64_t data = problem_bytes(problem_);
      const std::uint64_t left = limit_.bytes - std::min(limit_.bytes, data);
      const std::uint64_t beyond = data - std::min(limit_.bytes, data);
      if (beyond > 0 || grower + tree > left) refuse_tree(beyond + grower + tree, left, limit_, true);
      capacity.threads = std::min<std::size_t>(threads, left / (grower + tree));
      capacity.bytes = left - capacity.threads * grower;
    }
    threads_ = capacity.threads;
    return capacity;
  }

  /// Trees in job order, cut into rounds that fit in memory and have at most `most` trees (then stopping is soon).
  [[nodiscard]] std::vector<std::vector<TreeTask>> rounds(std::span<const ForestJob> jobs, const Capacity& capacity,
                                                          std::size_t most = SIZE_MAX) const {
    std::vector<std::vector<TreeTask>> result;
    std::uint64_t bytes = 0;
    const std::size_t least = capacity.threads;
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      const std::uint64_t tree_bytes = largest_tree(jobs[job]);
      for (std::int32_t tree = jobs[job].first_tree; tree < jobs[job].trees; ++tree) {
        const bool full = bytes + tree_bytes > capacity.bytes && !result.empty() && result.back().size() >= least;
        if (result.empty() || full || result.back().size() >= most) {
          result.emplace_back();
          bytes = 0;
        }
        result.back().push_back({static_cast<std::int32_t>(job), tree});
        bytes += tree_bytes;
      }
    }
    return result;
  }

  /// Bytes that a tree may take.
  [[nodiscard]] std::uint64_t largest_tree(const ForestJob& job) const {
    const std::uint64_t stats_bytes = problem_.targets.classes > 0 ? 4ULL * problem_.targets.classes : 16ULL;
    return most_nodes(problem_, job) * (sizeof(NodeRecord) + sizeof(std::int32_t) + stats_bytes);
  }

  /// All trees, or nothing where one is missing.
  [[nodiscard]] static std::optional<std::vector<GrownTree>> all_of(std::vector<std::optional<GrownTree>> trees) {
    std::vector<GrownTree> all;
    all.reserve(trees.size());
    for (std::optional<GrownTree>& tree : trees) {
      if (!tree) return std::nullopt;
      all.push_back(std::move(*tree));
    }
    return all;
  }

  /// After a stop some trees are missing.
  [[nodiscard]] std::vector<std::optional<GrownTree>> grow_round(std::span<const ForestJob> jobs,
                                                                 std::span<const TreeTask> round,
                                                                 const StopToken* stop) {
    const auto start = Clock::now();
    std::vector<std::optional<GrownTree>> trees(round.size());
    (void)parallel_for(round.size(), static_cast<int>(threads_), [&](std::size_t i, std::size_t thread) {
      std::unique_ptr<HostTreeGrower>& grower = growers_[thread];
      if (!grower) grower = make_host_tree_grower(problem_);
      trees[i] = grower->grow(jobs[round[i].job], round[i].tree, true, stop);
      return trees[i].has_value();
    });
    std::uint64_t bytes = stats_.data_bytes;
    for (const std::optional<GrownTree>& tree : trees) bytes += tree ? bytes_of(*tree) : 0;
    stats_.peak_bytes = std::max(stats_.peak_bytes, bytes);
    stats_.batches += 1;
    stats_.compute_seconds += seconds_since(start);
    return trees;
  }

  [[nodiscard]] static std::uint64_t bytes_of(const GrownTree& tree) {
    return tree.nodes.size() * (sizeof(NodeRecord) + 4) + tree.class_weights.size() * 4 +
           (tree.means.size() + tree.impurities.size()) * 8;
  }

  /// Tables tree by tree, then rows block by block, on all threads. False when `stop` said so before all was scored.
  [[nodiscard]] bool score_round(std::span<const TreeTask> round, const std::vector<GrownTree>& trees,
                                 const std::vector<std::unique_ptr<JobScorer>>& scorers,
                                 std::vector<FoldOutcome>& outcomes, const StopToken* stop) {
    struct Part {
      JobScorer* scorer;
      std::size_t index;
    };
    std::vector<JobScorer*> active;
    std::vector<Part> tables;
    std::vector<Part> blocks;
    for (std::size_t begin = 0, end = 0; begin < round.size(); begin = end) {
      while (end < round.size() && round[end].job == round[begin].job) ++end;
      JobScorer* scorer = scorers[round[begin].job].get();
      scorer->begin_round({trees.data() + begin, end - begin}, round[begin].tree);
      active.push_back(scorer);
      for (std::size_t i = 0; i < scorer->trees(); ++i) tables.push_back({scorer, i});
      for (std::size_t i = 0; i < scorer->blocks(); ++i) blocks.push_back({scorer, i});
    }
    const int threads = static_cast<int>(threads_);
    const auto prepare = [&](std::size_t i) {
      if (is_stopped(stop)) return false;
      tables[i].scorer->prepare(tables[i].index);
      return true;
    };
    const auto add = [&](std::size_t i) { return blocks[i].scorer->add_block(blocks[i].index, stop); };
    if (!parallel_for(tables.size(), threads, prepare) || !parallel_for(blocks.size(), threads, add)) return false;
    for (JobScorer* scorer : active) scorer->end_round(outcomes);
    return true;
  }

  const Problem& problem_;
  GrowerLimit limit_;
  GrowerStats stats_;
  std::vector<std::unique_ptr<HostTreeGrower>> growers_;  // one a thread
  std::size_t threads_ = 1;                               // of them, as many as memory allows
};

}  // namespace

std::unique_ptr<Grower> make_host_grower(const Problem& problem, const GrowerLimit& limit) {
  return std::make_unique<HostGrower>(problem, limit);
}

}  // namespace overtake::forest
