// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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

/// One network on its way through a training: where it stands, and what is decided about it (stopping early, keeping
/// good weights, checkpoints, divergence). Who trains it, alone or beside others, runs the steps and hands the figures
/// in. All but `data`'s place may not change between its construction and finish().
class Candidate {
 public:
  /// Everything must outlive this. `data` may still move to the model's device until bind().
  Candidate(Module& model, const Loss& loss, optim::Optimizer& optimizer, const TrainerOptions& options,
            const TrainingData& data);
  ~Candidate();  ///< puts the optimiser's learning rate back
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  /// Gives model and optimiser buffers of their own, which plans may write to; continues from the checkpoint where the
  /// options ask for it.
  void begin();
  /// What the engine trains.
  [[nodiscard]] EngineCandidate parts() { return {model_, optimizer_}; }
  /// Once the engine is compiled and the data is on the device.
  void bind();
  /// Tells the observer that training begins.
  void announce();

  /// True when no epoch is left to run: all done, patience exhausted, or diverged before (in a checkpoint).
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] int epoch() const { return state_.epoch; }  ///< complete ones
  /// The next epoch after which figures are read back.
  [[nodiscard]] int next_stop() const;
  /// Before an epoch, counted from 0.
  void set_rate(int epoch);
  /// `steps` of an epoch, counted from 0, have run.
  void add_steps(int epoch, std::int64_t steps);
  /// Takes in the figures of the epoch just complete: best weights, copies, checkpoint, observer. False when they are
  /// no longer finite, so that training ends. `seconds` since the first step.
  [[nodiscard]] bool accept(const EpochStatistics& sums, double seconds, const Engine& engine);
  void interrupt(const EpochStatistics& sums);

  /// For what only the runner knows: device, engine, seconds.
  [[nodiscard]] FitReport& report() noexcept { return report_; }
  /// Gives the model the weights it keeps. The engine's memory should be free by now.
  [[nodiscard]] FitReport finish();

 private:
  void take_own_buffers();
  void resume();
  [[nodiscard]] EpochRecord read_record(const EpochStatistics& sums);
  /// After the observer's code ran.
  void take_back(const Engine& engine);
  /// Keeps what a later end may need: the best weights, or those of the last two read-backs.
  void keep_weights(bool better, bool last);
  void save_checkpoint(std::optional<StopReason> ended);
  /// Makes `copy` one of the weights as they are now.
  void take_snapshot(Snapshot& copy);

  // -- the end (candidate_end.cpp) --
  /// Says where and why the loss or the weights stopped being finite.
  void diverge();
  /// After the checkpoint has the weights that were reached.
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
  [[nodiscard]] bool has_best() const { return keeps_best() && !state_.kept.values.empty(); }
  [[nodiscard]] bool has_checkpoints() const { return !options_.checkpoint_path.empty(); }
  [[nodiscard]] std::int64_t total_steps() const { return first_epoch_ * steps_per_epoch() + report_.steps; }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return data_.steps_per_epoch(options_.batch_size); }

  Module& model_;
  const Loss& loss_;
  optim::Optimizer& optimizer_;
  const TrainerOptions& options_;
  const TrainingData& data_;
  float base_rate_;  ///< what the schedule starts from
  float last_rate_;  ///< that set_rate() set
  int looks_ = 0;    ///< at what an observer did
  TrainingState state_;
  Fingerprint fingerprint_;  ///< empty without checkpoints
  Snapshot latest_;          ///< of the last record with a finite loss; empty where the best weights are kept
  std::optional<Evaluator> evaluator_;
  std::optional<BoundState> bound_;
  int first_epoch_ = 0;  ///< of this training
  int saved_epoch_ = -1;
  std::int64_t bad_steps_ = 0;
  FitReport report_;
};

}  // namespace overtake::nn
