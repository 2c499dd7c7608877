// SPDX-License-Identifier: MIT
// Scores the views of a wave of jobs on a device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "forest/device/batch.hpp"
#include "forest/grow/grower.hpp"
#include "forest/grow/limits.hpp"
#include "overtake/stop.hpp"

namespace overtake::forest {

/// Keeps the sums of a wave's limits on the device while its batches pass, and counts into tables of all views.
class KernelScorer {
 public:
  KernelScorer(backend::Device& device, KernelProgram& program, const Problem& problem, const KernelData& data,
               std::span<const ForestJob> jobs, std::size_t views, bool predictions);

  /// Begins a wave: the limits of its jobs.
  void begin_wave(std::vector<Limits> limits);
  /// Adds a batch's trees. Waits for the host only when a limit needs whole trees; then `stop` is asked at each of
  /// them, and where it says so, false is returned: the device does nothing then, and the scorer is of no further use.
  [[nodiscard]] bool add(KernelBatch& batch, const GrowBatch& ranges, const StopToken* stop);
  /// Fetches the predictions, if asked for: they are forgotten with the wave.
  void end_wave(std::vector<FoldOutcome>& outcomes);
  /// Fetches the tables.
  void finish(std::vector<FoldOutcome>& outcomes);

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] std::size_t test_rows(const Limits& limits) const;
  void keep_control(KernelBatch& batch);
  /// Null when `stop` said so.
  [[nodiscard]] BufferPtr make_flags(KernelBatch& batch, const GrowBatch& ranges, std::vector<std::int32_t>& place_of,
                                     const StopToken* stop);
  void sum_errors(const std::vector<MemberRow>& member_rows, const std::vector<std::int32_t>& member_limits,
                  const BufferPtr& limit_table, const BufferPtr& member_table);

  backend::Device& device_;
  KernelProgram& program_;
  const Problem& problem_;
  const KernelData& data_;
  std::span<const ForestJob> jobs_;
  bool wants_predictions_;    // on the device
  bool returns_predictions_;  // to the host
  std::size_t prediction_rows_ = 0;
  std::uint64_t bytes_ = 0, wave_bytes_ = 0;
  std::vector<Limits> limits_;
  std::vector<std::int32_t> sums_first_;                      // of each limit, in rows
  std::vector<std::vector<std::int32_t>> predictions_first_;  // of each limit's members
  BufferPtr sums_, predictions_, confusion_, errors_;
  std::vector<BufferPtr> controls_;  // of the batches so far
  std::size_t views_;
};

}  // namespace overtake::forest
