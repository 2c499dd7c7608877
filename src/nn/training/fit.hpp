// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>

#include "nn/training/candidate.hpp"

namespace overtake::nn {

/// One call of Trainer::fit: a candidate, its data and the engine that trains it, from the first byte uploaded to the
/// report.
class Fit {
 public:
  /// The data has been checked. Arrays of model and optimiser are replaced by copies of their own.
  Fit(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options, TrainingData data);

  [[nodiscard]] FitReport run();

 private:
  using Clock = std::chrono::steady_clock;

  void transfer();
  void compile();
  void train();
  /// Runs epochs up to `target`; false if interrupted.
  [[nodiscard]] bool run_until(int target);
  void stage_orders(int epoch, int count);

  const Device device_;
  const Loss& loss_;
  const TrainerOptions& options_;
  TrainingData data_;
  Candidate candidate_;
  std::unique_ptr<Engine> engine_;
  int staged_epoch_ = -1;  ///< first epoch of the orders on the device
  int staged_count_ = 0;
};

}  // namespace overtake::nn
