// SPDX-License-Identifier: MIT
// Which trees a device grows together, and the memory that takes. Pure host code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/growth.hpp"
#include "forest/kernel_layout.hpp"
#include "forest/kernel_program.hpp"
#include "forest/limits.hpp"

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

/// Bytes of the working memory that batches need beside their trees.
struct PlanCosts {
  std::uint64_t tree_bytes_per_row = 16;
  std::uint64_t bytes_per_node = 32;
  std::uint64_t bytes_per_sum_row = 8;     ///< of scoring: one test row of one limit
  std::uint64_t bytes_per_prediction = 0;  ///< one test row of one member
};

/// Cuts the work into waves and batches that take at most `budget` bytes each. `limits`: what is scored, may be empty.
/// Throws DeviceError (need, limit) when one tree does not fit.
[[nodiscard]] std::vector<Wave> plan_waves(const Problem& problem, std::span<const ForestJob> jobs,
                                           std::span<const Limits> limits, const PlanCosts& costs,
                                           std::uint64_t budget);

}  // namespace overtake::forest
