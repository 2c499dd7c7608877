// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/file/checkpoint.hpp"
#include "nn/training/bound_state.hpp"
#include "nn/training/early_stopping.hpp"
#include "nn/training/engine.hpp"
#include "nn/training/evaluator.hpp"
#include "nn/training/trainer_data.hpp"

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
  /// True when no epoch is left to run: all done, patience exhausted, or diverged before.
  [[nodiscard]] bool is_over() const;
  /// The next epoch after which figures are read back.
  [[nodiscard]] int next_stop() const;
  /// Runs epochs up to `target`; false if interrupted.
  [[nodiscard]] bool run_until(int target);
  void stage_orders(int epoch, int count);
  void set_rate(int epoch);
  [[nodiscard]] EpochRecord read_record();
  /// Takes a record in: best, copies, checkpoint, observer.
  void accept(const EpochRecord& record);
  /// After the observer's code ran.
  void take_back();
  /// Keeps what a later end may need: the best weights, or those of the last two read-backs.
  void keep_weights(bool better, bool last);
  void save_checkpoint(std::optional<StopReason> ended);
  /// Makes `copy` one of the weights as they are now.
  void take_snapshot(Snapshot& copy);

  // -- the end (fit_end.cpp) --
  void finish();
  /// Says where and why the loss or the weights stopped being finite.
  void diverge();
  /// Gives the model the weights it keeps, after the checkpoint has those that were reached.
  void choose_weights();
  void end_diverged();
  /// Writes the last checkpoint, unless training stopped where none can be resumed from.
  void save_end();
  /// Restores the best weights, or the latest good ones; says in a sentence which.
  [[nodiscard]] std::string fall_back();
  void restore(const Snapshot& snapshot);
  [[nodiscard]] bool weights_are_finite();
  /// Evaluates the weights on all rows. True if they and the loss over the training rows are finite.
  [[nodiscard]] bool measure();
  [[nodiscard]] std::string ending() const;

  [[nodiscard]] bool keeps_best() const { return data_.has_validation() && options_.restore_best; }
  [[nodiscard]] bool has_best() const { return keeps_best() && !progress_.kept.values.empty(); }
  [[nodiscard]] bool has_checkpoints() const { return !options_.checkpoint_path.empty(); }
  [[nodiscard]] std::int64_t total_steps() const { return first_epoch_ * steps_per_epoch() + report_.steps; }
  [[nodiscard]] bool has_stop_request() const { return options_.stop != nullptr && options_.stop->requested(); }
  [[nodiscard]] std::int64_t rows() const { return data_.inputs.shape()[0]; }
  [[nodiscard]] std::int64_t batch() const { return std::min(options_.batch_size, rows()); }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return (rows() + batch() - 1) / batch(); }

  Module& model_;
  const Loss& loss_;
  optim::Optimizer& optimizer_;
  const TrainerOptions& options_;
  TrainingData data_;
  float base_rate_;  ///< what the schedule starts from
  float last_rate_;  ///< that this fit() set
  int looks_ = 0;    ///< at what an observer did
  Progress progress_;
  Fingerprint fingerprint_;  ///< empty without checkpoints
  Snapshot latest_;          ///< of the last record with a finite loss; empty where the best weights are kept
  std::optional<Evaluator> evaluator_;
  std::optional<BoundState> bound_;
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
