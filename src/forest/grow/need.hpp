// SPDX-License-Identifier: MIT
// What forests need of the computer beside the device: work that cannot end and trees that cannot be kept are refused.
#pragma once

#include <cstdint>

#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// What a grower may plan with.
struct GrowerLimit {
  std::uint64_t bytes = 0;       ///< 0: no limit
  std::uint64_t host_limit = 0;  ///< the limit of the whole process that `bytes` come from; 0: from --memory-limit

  GrowerLimit() = default;
  /// A limit that was given as it is.
  GrowerLimit(std::uint64_t given) : bytes(given) {}  // NOLINT(google-explicit-constructor): most have no other
  /// What is left of `host` for a grower.
  GrowerLimit(std::uint64_t left, std::uint64_t host) : bytes(left), host_limit(host) {}
};

/// Row visits of growing a job's trees, roughly: trees x rows x features a node x levels (no more than log2 of the
/// rows: deeper trees have few rows in a node).
[[nodiscard]] double visits_of(const ForestJob& job, std::int64_t rows);

/// Throws UsageError for more than 1e18 row visits: half a year on the largest GPU, a century on a few cores. The limit
/// does not depend on the machine, so that the same work is refused everywhere.
void check_visits(double visits);

/// Bytes of a problem in memory.
[[nodiscard]] std::uint64_t problem_bytes(const Problem& problem);

/// Bytes of a row of a tree, by task (forest/host/split.hpp).
inline constexpr std::uint64_t bytes_of_class_row = 12, bytes_of_number_row = 16;

/// Bytes that growing one tree of `rows` rows on the host works in, beside the tree. `bins`: the most of any feature.
[[nodiscard]] std::uint64_t host_grower_bytes(std::uint64_t rows, std::int32_t classes, std::int32_t bins);

/// The most nodes that a tree of the job can have.
[[nodiscard]] std::uint64_t most_nodes(const Problem& problem, const ForestJob& job);

/// What a grower on the host may plan with, the problem included: `memory_limit`, and of what `host_limit` leaves of
/// the whole process' memory the half, as the trees that are kept need room, too; 0: no limit.
[[nodiscard]] GrowerLimit host_grower_limit(const Problem& problem, std::uint64_t memory_limit,
                                            std::uint64_t host_limit);

/// Bytes of a tree that is kept: its arrays, and what predicting with it takes.
[[nodiscard]] std::uint64_t kept_bytes(std::int64_t nodes, std::int32_t outputs);

/// Bytes of a tree that is planned and not grown yet.
inline constexpr double bytes_of_waiting_tree = 8;

/// Throws DeviceError, naming need and limit, when `trees` trees that take `bytes_a_tree` each are more than `usable`
/// bytes of memory. `at_least`: the need is a lower bound, not an estimate.
void check_kept(std::int64_t trees, double bytes_a_tree, std::uint64_t usable, bool at_least);

/// Throws DeviceError, naming need and limit: one tree with all that growing it takes is more than the `usable` bytes
/// that `limit` leaves beside the data. `cpu`: it was to grow there.
[[noreturn]] void refuse_tree(std::uint64_t need, std::uint64_t usable, const GrowerLimit& limit, bool cpu);

/// Watches the trees of a forest that is kept: refuses it before the first when even trees of one node would not fit,
/// later when the trees so far say that all will not. Both throw what check_kept throws.
class KeptTrees {
 public:
  static constexpr std::int32_t least = 8;  ///< trees that say something of the others

  /// `trees`: how many are to grow. `usable`: platform::usable_memory() now.
  KeptTrees(std::int64_t trees, std::int32_t outputs, std::uint64_t usable);
  /// Counts a tree.
  void add(std::int64_t nodes);

 private:
  std::int64_t trees_;
  std::int32_t outputs_;
  std::uint64_t usable_;
  std::int64_t seen_ = 0;
  double bytes_ = 0;
};

}  // namespace overtake::forest
