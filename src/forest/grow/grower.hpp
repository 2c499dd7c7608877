// SPDX-License-Identifier: MIT
// The contract between what is asked of forests (training, search) and the growers that do it on a processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"
#include "overtake/metrics.hpp"
#include "overtake/stop.hpp"

namespace overtake::forest {

struct GrowerStats {
  std::int64_t launches = 0;
  std::int64_t waits = 0;
  std::int64_t batches = 0;
  std::uint64_t peak_bytes = 0;  ///< planned
  std::uint64_t data_bytes = 0;
  double startup_seconds = 0, upload_seconds = 0, compute_seconds = 0, scoring_seconds = 0;
};

/// What is on the host at a time.
struct HostRound {
  std::size_t threads = 0;         ///< that grow
  std::size_t trees = 0;           ///< that are grown before they are scored
  std::uint64_t device_bytes = 0;  ///< of a device whose memory is the host's: what a batch fills there
};

/// Grows forests on one processor. Exact: results do not depend on the processor, threads or batches.
class Grower {
 public:
  virtual ~Grower() = default;
  /// Grows the trees of `jobs` and gives them to `take(job, tree, grown)`, each job's trees in order. Used for models.
  /// Ends early when `stop` says so; what was given until then are whole trees, and the first of what was asked for.
  /// The host asks within a tree, a device between the kernels that its host waits for.
  virtual void grow(std::span<const ForestJob> jobs,
                    const std::function<void(std::int32_t, std::int32_t, GrownTree)>& take, const StopToken* stop) = 0;
  /// Grows the trees of `jobs`, scores `views` (View::job indexes `jobs`) on the test rows of their
  /// jobs' folds and forgets the trees. FoldOutcome::predictions only if asked for. Nothing comes back
  /// when `stop` ended that early, as in grow(), while growing or while scoring: some of the trees are no score.
  [[nodiscard]] virtual std::optional<std::vector<FoldOutcome>> score(std::span<const ForestJob> jobs,
                                                                      std::span<const View> views, bool predictions,
                                                                      const StopToken* stop) = 0;
  [[nodiscard]] virtual GrowerStats stats() const = 0;
  /// How growing `jobs` is cut so that it fits into the computer's memory; nothing where that of a device has the
  /// trees. `filled`: the nodes that a tree is expected to have, as a share of most_nodes(). Throws DeviceError where
  /// not even one tree fits.
  [[nodiscard]] virtual HostRound host_round(std::span<const ForestJob> /*jobs*/, double /*filled*/) { return {}; }
};

}  // namespace overtake::forest
