// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/checkpoint.hpp"
#include "nn/engine.hpp"
#include "nn/evaluator.hpp"
#include "nn/trainer_data.hpp"

namespace overtake::nn {

/// One call of Trainer::fit: owns everything that lives from the first byte uploaded to the report.
class Fit {
 public:
  /// The data has been checked. Arrays of model and optimiser are replaced by copies of their own.
  Fit(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options, TrainingData data);
  ~Fit();
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  [[nodiscard]] FitReport run();

 private:
  using Clock = std::chrono::steady_clock;

  void take_own_buffers();
  void resume();
  void transfer();
  void compile();
  void train();
  /// The next epoch after which figures are read back.
  [[nodiscard]] int next_stop() const;
  /// Runs epochs up to `target`; false if interrupted.
  [[nodiscard]] bool run_until(int target);
  void stage_orders(int epoch, int count);
  void set_rate(int epoch);
  [[nodiscard]] EpochRecord read_record();
  /// Takes a record in: best, copies, checkpoint, observer. True if training should go on.
  [[nodiscard]] bool accept(const EpochRecord& record);
  [[nodiscard]] bool is_better(const EpochRecord& record) const;
  void diverge(const EpochRecord& record);
  void save_checkpoint();
  void restore(const std::vector<Array>& values);
  /// Replaces `copies` by copies of the weights.
  void copy_weights(std::vector<Array>& copies);
  void finish();

  [[nodiscard]] bool has_stop_request() const { return options_.stop != nullptr && options_.stop->requested(); }
  [[nodiscard]] std::int64_t rows() const { return data_.inputs.shape()[0]; }
  [[nodiscard]] std::int64_t batch() const { return std::min(options_.batch_size, rows()); }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return (rows() + batch() - 1) / batch(); }

  Module& model_;
  const Loss& loss_;
  optim::Optimizer& optimizer_;
  const TrainerOptions& options_;
  TrainingData data_;
  float base_rate_;
  Progress progress_;
  Fingerprint fingerprint_;  ///< empty without checkpoints
  std::vector<Array> good_;  ///< weights of the last record with a finite loss
  std::optional<Evaluator> evaluator_;
  std::unique_ptr<Engine> engine_;
  int staged_epoch_ = -1;  ///< first epoch of the orders on the device
  int staged_count_ = 0;
  int first_epoch_ = 0;  ///< of this fit
  int saved_epoch_ = -1;
  std::int64_t bad_steps_ = 0;
  Clock::time_point start_;
  FitReport report_;
};

}  // namespace overtake::nn
