// SPDX-License-Identifier: MIT
// Which trees a device grows together, and the memory that takes. Pure host code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "forest/grow/capacity.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/job.hpp"
#include "forest/grow/limits.hpp"
#include "forest/grow/need.hpp"
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

[[nodiscard]] TreeCapacity capacity_for(const Problem& problem, const ForestJob& job);

/// Subtrees that may wait for each large node.
inline constexpr std::int64_t subtrees_per_large = 16;

/// How a grower works on its batches.
struct BatchRules {
  ShapeRow shape{};
  std::int32_t large_rows = 1;      ///< a tree of more rows has up to rows / large_rows + 1 large nodes at a time
  std::int64_t subtree_groups = 1;  ///< the most that grow subtrees
  std::int64_t node_groups = 1;     ///< the most that choose splits of large nodes
};

/// What the tables of a batch have room for.
struct BatchCapacity {
  std::int64_t jobs = 0, trees = 0, rows = 0, nodes = 0;
  std::int64_t large = 0;  ///< large nodes at one level

  void add(const TreeCapacity& capacity, std::int64_t count, const BatchRules& rules) noexcept;
  [[nodiscard]] std::int64_t queue() const noexcept { return trees + subtrees_per_large * large; }
};

/// The tables of a batch on the device, each a buffer.
enum class Table : std::uint8_t {
  trees,
  jobs,
  tallies,
  control,
  lists,
  nodes,
  stats,
  queue,
  given,
  active,
  next,
  large,
  features,
  swaps,
  hist,
  chunks,
  scratch
};
inline constexpr std::size_t batch_tables = 17;

/// Bytes of each table: what is planned and what is allocated.
[[nodiscard]] std::array<std::uint64_t, batch_tables> batch_layout(const BatchRules& rules,
                                                                   const BatchCapacity& capacity);

/// Bytes of the tables that are written to where all trees have so many nodes together: there is room for more, and the
/// system gives memory to what is touched.
[[nodiscard]] std::uint64_t filled_bytes(const BatchRules& rules, const BatchCapacity& capacity, double nodes);

/// What waves and batches cost.
struct PlanCosts {
  BatchRules rules;
  double most_visits = std::numeric_limits<double>::infinity();  ///< of a batch that is more than one tree (need.hpp)
  bool keeps_predictions = false;                                ///< of test rows, on the device
  GrowerLimit limit = {};                                        ///< that the budget is a part of
};

/// Cuts the work into waves and batches that take at most `budget` bytes and costs.most_visits each. `limits`: what is
/// scored, may be empty. Throws DeviceError (need, limit) when one tree does not fit.
[[nodiscard]] std::vector<Wave> plan_waves(const Problem& problem, std::span<const ForestJob> jobs,
                                           std::span<const Limits> limits, const PlanCosts& costs,
                                           std::uint64_t budget);

}  // namespace overtake::forest
