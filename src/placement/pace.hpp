// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>

#include "overtake/device.hpp"
#include "overtake/nn/trainer.hpp"

namespace overtake::placement {

/// How fast a training goes, from a few short ones.
struct Pace {
  double epoch_seconds = 0;
  /// Of the first training. What its epoch took longer than a later one is compiling too: some drivers compile a kernel
  /// when it first runs.
  double compile_seconds = 0;
  double transfer_seconds = 0;
  int threads = 0;  ///< of the CPU; 0 elsewhere
};

/// Trains for one epoch (which pays for compiling), then for ever more epochs, up to `most`, until they take long
/// enough to be timed; a first epoch over `enough_seconds` seconds is enough. `train(epochs)` starts anew each time and
/// gives nothing when it was stopped; then so does this.
[[nodiscard]] std::optional<Pace> find_pace(const std::function<std::optional<FitReport>(int epochs)>& train, int most,
                                            double enough_seconds);

/// find_pace on a device; on the CPU with `threads`, or, where they are 0, with one and with all: the faster, which the
/// CPU is left with.
[[nodiscard]] std::optional<Pace> fastest_pace(const Device& device, int threads,
                                               const std::function<std::optional<FitReport>(int epochs)>& train,
                                               int most, double enough_seconds);

}  // namespace overtake::placement
