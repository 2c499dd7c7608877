// SPDX-License-Identifier: MIT
// Which trees a device grows together, and the memory that takes. Pure host code.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "forest/device/program.hpp"
#include "forest/grow/job.hpp"
#include "forest/grow/limits.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// Consecutive trees of one job.
struct TreeRange {
  std::int32_t job = 0;
  std::int32_t first = 0, last = 0;
};

/// Trees that are grown together.
struct GrowBatch {
  std::vector<TreeRange> ranges;
};

/// Batches whose sums are kept together: all trees of the jobs in it.
struct Wave {
  std::vector<std::int32_t> jobs;
  std::vector<GrowBatch> batches;
};

/// Room for one tree of a job.
struct TreeRoom {
  std::int64_t rows = 0;  ///< of each of the four lists
  std::int64_t nodes = 0;
};
[[nodiscard]] TreeRoom room_for(const Problem& problem, const ForestJob& job);

/// Subtrees that may wait for each large node.
inline constexpr std::int64_t subtrees_per_large = 16;

/// What waves and batches cost: bytes of memory, and work.
struct PlanCosts {
  double most_visits = std::numeric_limits<double>::infinity();  ///< of a batch that is more than one tree (need.hpp)
  std::uint64_t bytes_per_row = 16;
  std::uint64_t bytes_per_node = 32;
  std::uint64_t bytes_per_tree = 0;   ///< its rows of tables
  std::int64_t large_rows = 1;        ///< a tree of more rows has up to rows / large_rows + 1 large nodes at a time
  std::uint64_t bytes_per_large = 0;  ///< of a large node
  std::uint64_t bytes_per_group = 0;  ///< working memory of one of the groups that grow subtrees
  std::int64_t most_groups = 1;
  std::uint64_t bytes_per_limit = 0;  ///< of scoring: rows of tables
  std::uint64_t bytes_per_member = 0;
  std::uint64_t bytes_per_sum_row = 8;     ///< one test row of one limit
  std::uint64_t bytes_per_prediction = 0;  ///< one test row of one member
};

/// Cuts the work into waves and batches that take at most `budget` bytes and costs.most_visits each. `limits`: what is
/// scored, may be empty. Throws DeviceError (need, limit) when one tree does not fit.
[[nodiscard]] std::vector<Wave> plan_waves(const Problem& problem, std::span<const ForestJob> jobs,
                                           std::span<const Limits> limits, const PlanCosts& costs,
                                           std::uint64_t budget);

}  // namespace overtake::forest
