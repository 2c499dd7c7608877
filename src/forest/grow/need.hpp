// SPDX-License-Identifier: MIT
// What forests need of the computer beside the device: work that cannot end and trees that cannot be kept are refused.
#pragma once

#include <cstdint>
#include <string>

#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {

/// Code of this program and its libraries that the system loads as it is used.
inline constexpr std::uint64_t bytes_of_code = std::uint64_t{7} << 19;

/// What one of the growers of a process may take of the computer's memory that is left.
struct GrowerShare {
  std::uint64_t growers = 1;  ///< so many work at once
  double part = 1;            ///< of what is its own: less where the rest needs more

  /// Of what `host_limit` leaves beside the code: the half is for growers, as trees that are kept or scored need room.
  [[nodiscard]] std::uint64_t bytes(std::uint64_t host_limit) const;
};

/// What a grower may plan with.
struct GrowerLimit {
  std::uint64_t bytes = 0;       ///< 0: no limit
  std::uint64_t host_limit = 0;  ///< the limit of the whole process that `bytes` come from; 0: from --memory-limit
  std::uint64_t growers = 1;     ///< that share what it leaves

  GrowerLimit() = default;
  /// A limit that was given as it is.
  GrowerLimit(std::uint64_t given) : bytes(given) {}  // NOLINT(google-explicit-constructor): most have no other
  /// What is left of `host` for one of `growers`.
  GrowerLimit(std::uint64_t left, std::uint64_t host, std::uint64_t sharing)
      : bytes(left), host_limit(host), growers(sharing) {}
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
/// the whole process' memory its share; 0: no limit.
[[nodiscard]] GrowerLimit host_grower_limit(const Problem& problem, std::uint64_t memory_limit,
                                            std::uint64_t host_limit, const GrowerShare& share = {});

/// Bytes of a tree that is kept: its arrays, and what predicting with it takes.
[[nodiscard]] std::uint64_t kept_bytes(std::int64_t nodes, std::int32_t outputs);

/// Bytes of a tree that is planned and not grown yet.
inline constexpr double bytes_of_waiting_tree = 8;

/// What trees may take of the computer's memory.
struct TreeRoom {
  std::uint64_t bytes = 0;
  std::uint64_t host_limit = 0;  ///< of the whole process, that they come from; 0: none

  /// What the computer and the limit (0: none) leave now.
  [[nodiscard]] static TreeRoom now(std::uint64_t host_limit);
};

/// Throws DeviceError, naming need, limit and what the process holds, when `trees` trees that take `bytes_a_tree` each
/// do not fit. `at_least`: the need is a lower bound, not an estimate.
void check_kept(std::int64_t trees, double bytes_a_tree, const TreeRoom& room, bool at_least);

/// One tree does not fit, with all that growing it takes.
class TreeRefused : public DeviceError {
 public:
  TreeRefused(const std::string& message, const std::string& hint, std::uint64_t need)
      : DeviceError(message, hint), need_(need) {}
  /// Bytes beside what is held.
  [[nodiscard]] std::uint64_t need() const noexcept { return need_; }

 private:
  std::uint64_t need_;
};

/// Throws TreeRefused, naming need and limit: one tree with all that growing it takes is more than the `usable` bytes
/// that `limit` leaves beside the data. `cpu`: it was to grow there.
[[noreturn]] void refuse_tree(std::uint64_t need, std::uint64_t usable, const GrowerLimit& limit, bool cpu);

/// Watches the trees of a forest that is kept: refuses it before the first when even trees of one node would not fit,
/// later when the trees so far say that all will not. Both throw what check_kept throws.
class KeptTrees {
 public:
  static constexpr std::int32_t least = 8;  ///< trees that say something of the others

  /// `trees`: how many are to grow.
  KeptTrees(std::int64_t trees, std::int32_t outputs, const TreeRoom& room);
  /// Counts a tree.
  void add(std::int64_t nodes);

 private:
  std::int64_t trees_;
  std::int32_t outputs_;
  TreeRoom room_;
  std::int64_t seen_ = 0;
  double bytes_ = 0;
};

}  // namespace overtake::forest
