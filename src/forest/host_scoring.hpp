// SPDX-License-Identifier: MIT
// Scores a job's views on the CPU, tree after tree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/growth.hpp"
#include "forest/limits.hpp"

namespace overtake::forest {

/// The test rows of one job. Trees are added in order; when a member's number of trees is reached, its outcome is
/// written. Sums are doubles added in tree order, so the result does not depend on how rows are split over threads.
class JobScorer {
 public:
  /// `limits`: those of this job.
  JobScorer(const Problem& problem, const ForestJob& job, std::vector<Limits> limits, bool predictions);

  /// Adds tree number `tree`, which must be the next one.
  void add(const GrownTree& tree);
  /// The outcome of each view that is complete, at its place in `outcomes`.
  void finish(std::int32_t trees_done, std::vector<ViewOutcome>& outcomes) const;

 private:
  void add_rows(const GrownTree& tree, std::span<const std::vector<std::int32_t>> stops, std::size_t begin,
                std::size_t end);
  [[nodiscard]] ViewOutcome outcome(std::size_t limit, std::int32_t trees) const;

  const Problem& problem_;
  const ForestJob& job_;
  std::vector<Limits> limits_;
  bool predictions_;
  std::size_t outputs_;
  std::vector<double> sums_;  // limits x test rows x outputs
};

/// The node at which a row stops that reaches each node, when `leaves(node)` nodes end the walk: the node itself or the
/// first such node above it.
[[nodiscard]] std::vector<std::int32_t> stopping_nodes(const GrownTree& tree, const std::vector<std::uint8_t>& leaves);

/// Squared and absolute errors summed over the test rows: 256 partial sums, row r going to sum r % 256 in order, then a
/// binary tree. The kernels add in the same order.
void sum_errors(const Problem& problem, std::span<const std::int32_t> test, std::span<const double> predictions,
                ViewOutcome& outcome);

}  // namespace overtake::forest
