// SPDX-License-Identifier: MIT
// Which of two devices takes which batches of a search. No clock and no threads: the caller says when it is.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "search/estimator.hpp"

namespace overtake::search_detail {

/// Units of work a second of each device.
using Paces = std::array<double, 2>;
/// Seconds that each batch takes a device beside its work, however small it is.
using Latencies = std::array<double, 2>;

/// Batches by falling work: the faster device takes from the front, the other from the end, each about half of its
/// share of what is left, or all of that where it is as short as a few of its latencies, and never what the other would
/// have done earlier. Paces are as predicted until a device has done a batch, then as measured.
class BatchQueue {
 public:
  BatchQueue(const std::vector<Batch>& batches, Paces predicted, Latencies latencies = {});

  /// What the device, which has no batch now, runs next: one batch, or several of a kind as one. Nothing: there are no
  /// more, or the other device is done earlier with all that is left; ask again a little later.
  [[nodiscard]] std::optional<Batch> take(std::size_t device, double now);
  /// The device is done with what it took.
  void done(std::size_t device, double now);
  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }

 private:
  struct Side {
    double work = 0, since = 0;  ///< of the batch that runs; 0: none
    double measured = 0;         ///< pace of the last batch
  };
  [[nodiscard]] double pace(std::size_t device, double now) const;
  [[nodiscard]] double busy_seconds(std::size_t device, double now) const;
  /// Work that the device should do of `work` so that both are done together.
  [[nodiscard]] double even_share(std::size_t device, double work, double now) const;
  /// Work of its next batch, at most.
  [[nodiscard]] double largest(std::size_t device, double work, double now) const;

  std::deque<Batch> left_;
  double left_work_ = 0;
  Paces predicted_;
  Latencies latencies_;
  std::array<Side, 2> sides_;
};

}  // namespace overtake::search_detail
