// SPDX-License-Identifier: MIT
// Scores a job's views on the CPU, tree after tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/grow/grower.hpp"
#include "forest/grow/limits.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/stop.hpp"

namespace overtake::forest {

/// The test rows of one job. Trees are added in rounds; in a round, blocks of rows may be added by several threads,
/// because each row's sums are doubles added in tree order. A member whose number of trees is reached in a round gets
/// its outcome when the round is complete.
class JobScorer {
 public:
  /// Rows of a block.
  static constexpr std::size_t block = 2048;

  /// `limits`: those of this job.
  JobScorer(const Problem& problem, const ForestJob& job, std::vector<Limits> limits, bool predictions);

  /// Begins a round: the job's next trees, `first` is the number of the first.
  void begin_round(std::span<const GrownTree> trees, std::int32_t first);
  [[nodiscard]] std::size_t trees() const noexcept { return trees_.size(); }
  /// Works out the tables of the round's tree number `i`. Every tree before any block.
  void prepare(std::size_t i);
  [[nodiscard]] std::size_t blocks() const noexcept { return (test().size() + block - 1) / block; }
  /// Adds the round's trees for a block of rows. False when `stop` said so before they were added: then the scorer is
  /// of no further use.
  [[nodiscard]] bool add_block(std::size_t index, const StopToken* stop);
  /// Ends the round: outcomes of the members it completed, at their places in `outcomes`.
  void end_round(std::vector<FoldOutcome>& outcomes);

 private:
  /// What a round's tree adds: for each limit and node the node where a row stops, and each node's shares.
  struct Tables {
    std::vector<std::vector<std::int32_t>> stops;
    std::vector<double> probabilities;
  };
  /// A member that the round completes.
  struct Due {
    std::size_t limit = 0;
    Limits::Member member;
    std::vector<double> means;             // rows x outputs
    std::vector<std::uint32_t> predicted;  // the class of each row
  };

  [[nodiscard]] const std::vector<std::int32_t>& test() const { return problem_.folds[job_.fold].test; }
  void add_tree(std::size_t tree, std::size_t begin, std::size_t end);
  void snapshot(Due& due, std::size_t begin, std::size_t end);

  const Problem& problem_;
  const ForestJob& job_;
  std::vector<Limits> limits_;
  bool predictions_;
  std::size_t outputs_;
  std::vector<double> sums_;  // limits x test rows x outputs
  std::span<const GrownTree> trees_;
  std::int32_t first_ = 0;
  std::vector<Tables> tables_;
  std::vector<Due> due_;
};

/// The node at which a row stops that reaches each node, when `leaves(node)` nodes end the walk: the node itself or the
/// first such node above it.
[[nodiscard]] std::vector<std::int32_t> stopping_nodes(const GrownTree& tree, const std::vector<std::uint8_t>& leaves);

/// Squared and absolute errors summed over the test rows: 256 partial sums, row r going to sum r % 256 in order, then a
/// binary tree. The kernels add in the same order.
void sum_errors(const Problem& problem, std::span<const std::int32_t> test, std::span<const double> predictions,
                FoldOutcome& outcome);

}  // namespace overtake::forest
