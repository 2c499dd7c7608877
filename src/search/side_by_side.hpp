// SPDX-License-Identifier: MIT
// Two devices run the batches of one search, each by a thread.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "search/batch_queue.hpp"
#include "search/estimator.hpp"

namespace overtake::search_detail {

/// A batch that was run.
struct RanBatch {
  std::size_t device = main_device;
  Batch batch;
  std::vector<FoldOutcome> outcomes;
  double seconds = 0;
  double scoring_seconds = 0;  ///< of them, on the device
};

/// Runs a batch. Nothing when `stop` (may be null) ended it.
[[nodiscard]] std::optional<RanBatch> run_timed(Estimator& estimator, Batch batch, bool probabilities,
                                                const StopToken* stop, std::size_t device);

/// How the batches of a search are run.
struct SideBySide {
  bool probabilities = false;
  const StopToken* stop = nullptr;
  Latencies latencies{};
  std::array<bool, 2> is_host{};  ///< which device is the CPU: it computes with a thread less, the other has that one
};

/// Runs the batches on both devices and gives each to `take`, on the calling thread, as they come. Returns when all are
/// done or both have stopped. What a device throws ends the search: the other one's batch is run to its end and taken,
/// then that is thrown. Throws DeviceError when the system refuses the threads.
void run_side_by_side(const std::vector<Batch>& batches, Paces predicted, Estimator& estimator, const SideBySide& how,
                      const std::function<void(RanBatch)>& take);

}  // namespace overtake::search_detail
