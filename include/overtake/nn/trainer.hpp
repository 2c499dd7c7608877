// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/nn/module.hpp"
#include "overtake/optim.hpp"
#include "overtake/precision.hpp"
#include "overtake/progress.hpp"
#include "overtake/stop.hpp"

namespace overtake {

/// How a Trainer runs its steps.
enum class EngineKind : std::uint8_t {
  graph,  ///< one compiled plan of a whole step, replayed; runs any model on any device
};

/// "graph".
[[nodiscard]] std::string_view name_of(EngineKind kind) noexcept;

/// What is known of one epoch. Figures that do not exist (no validation data, no metric) are NaN.
struct EpochRecord {
  int epoch = 0;  ///< counted from 1
  double learning_rate = 0;
  double train_loss = std::numeric_limits<double>::quiet_NaN();   ///< mean over the epoch's rows, each before its step
  double train_error = std::numeric_limits<double>::quiet_NaN();  ///< share of wrong rows, counted likewise
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_error = std::numeric_limits<double>::quiet_NaN();
};

/// An EpochRecord on its way to an observer. The epochs left are those asked for: patience may end training before.
struct EpochEvent : Progress {
  EpochRecord record;
  bool best = false;  ///< the lowest monitored loss so far
};

/// Loss and error of a model on a data set. NaN: not known.
struct Evaluation {
  double loss = std::numeric_limits<double>::quiet_NaN();
  double error = std::numeric_limits<double>::quiet_NaN();  ///< wrong rows / rows; NaN when the loss has no metric
};

/// Told of a fit()'s progress, on the thread that called fit().
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  /// Plans are compiled and data is on the device; training begins.
  virtual void on_start(int /*epochs*/, std::int64_t /*steps_per_epoch*/) {}
  /// After each epoch that is read back (TrainerOptions::report_every). It may assign parameters, buffers and the
  /// optimiser's state, and set the learning rate, from which the schedule goes on: training does so, too. fit() throws
  /// UsageError when it freezes parameters, leaves the model in evaluation mode, or changes what forward() builds
  /// (looked for after the epochs 1, 2, 4, 8, ... that are read back): a compiled step cannot follow.
  virtual void on_epoch(const EpochEvent&) {}
};

struct TrainerOptions {
  int epochs = 100;
  std::int64_t batch_size = 100;  ///< more than the rows: one batch of all rows. A last smaller batch is trained on too
  bool shuffle = true;            ///< a new order of the rows each epoch, a pure function of (seed, epoch)
  std::uint64_t seed = 0;         ///< of the shuffling and of the validation split

  /// Validation data of its own, or a share of the training rows that is drawn by `seed` and set aside (0: none).
  Array validation_inputs{};
  Array validation_targets{};
  double validation_fraction = 0;

  /// Stop after this many epochs without a monitored loss lower than the best by more than min_delta; 0: never. The
  /// monitored loss is the validation loss, or the training loss where there is no validation data.
  int patience = 0;
  double min_delta = 0;
  /// With validation data: end with the weights of the best epoch instead of the last, however training ends.
  bool restore_best = true;

  optim::Schedule schedule{};
  double clip_grad_norm = 0;  ///< nn::clip_grad_norm of each step's gradients to this; 0: as they are

  /// What the model's products and convolutions are computed in (precision.hpp), also when it is evaluated; parameters,
  /// the optimiser's state and the loss stay float32. Without one that of the PrecisionScope in which fit() is called.
  std::optional<Precision> precision{};
  /// Parts in which a step computes its batch, one after the other, so that activations take the memory of a part. The
  /// gradients are added up by rows: the step stays that of batch_size rows, but for layers that look at the batch
  /// (BatchNorm) or draw (Dropout) in each part. A last smaller batch has parts of about the same size.
  int accumulate = 1;

  std::string checkpoint_path{};  ///< empty: no checkpoints
  int checkpoint_every = 1;       ///< epochs; one is also written when training ends
  /// Continue from checkpoint_path if that file exists, with the same bits as if training had never stopped. The file
  /// knows how training ended: the same settings then train no further and give the same model; more epochs or more
  /// patience continue, unless it diverged. A checkpoint of other settings or other data, or of more epochs than asked
  /// for, is refused (DataError) naming the difference. Without `resume` the file is overwritten.
  bool resume = false;

  /// Read figures back, and validate, observe, keep good weights and look for divergence, only every so many epochs
  /// (and at the last). Between them the host does not wait for the device.
  int report_every = 1;
  /// Look for NaN and infinity in the data, and for labels outside the classes, before the first step.
  bool check_data = true;
  /// When training ends, compute FitReport::training and ::validation with the weights it ends with (one pass over the
  /// rows), and treat it as diverged when they or that loss are not finite. false: only after a divergence.
  bool check_result = true;

  EngineKind engine = EngineKind::graph;
  const StopToken* stop = nullptr;
  TrainingObserver* observer = nullptr;

  /// Throws UsageError for options out of range, naming the option.
  void check() const;
};

enum class StopReason : std::uint8_t {
  finished,       ///< all epochs done
  early_stopped,  ///< no improvement for `patience` epochs
  interrupted,    ///< the stop token was requested; the weights are the best with validation data and restore_best,
                  ///  else those reached when it stopped
  diverged,       ///< loss or weights became NaN or infinite; the weights are the best with validation data and
                  ///  restore_best, else the last that were kept whose loss over the training rows is finite
};

/// "finished", "early_stopped", "interrupted", "diverged".
[[nodiscard]] std::string_view name_of(StopReason reason) noexcept;

/// Wall-clock seconds of the phases of a fit().
struct PhaseSeconds {
  double compile = 0;   ///< tracing, planning and compiling the plans
  double transfer = 0;  ///< data and the first row order to the device, until they have arrived
  double compute = 0;   ///< from the first step to the last figure read, validation and later row orders included
};

struct FitReport {
  std::vector<EpochRecord> epochs;  ///< those that were read back; a resumed run has the earlier ones too
  int epochs_run = 0;               ///< complete epochs, earlier runs included
  int resumed_epoch = 0;            ///< complete epochs of the checkpoint that training continued from
  int best_epoch = 0;               ///< lowest monitored loss; 0 if no epoch was read back with a finite one
  int weights_epoch = 0;            ///< the epoch after which the model's weights were like this; 0: before the first
  bool mid_epoch = false;           ///< interrupted inside an epoch: the weights have steps beyond weights_epoch
  Evaluation training;              ///< of the model's weights over the training rows, in evaluation mode
  Evaluation validation;            ///< likewise over the validation rows
  StopReason stop_reason = StopReason::finished;
  std::string message;  ///< for diverged: the step and the likely cause; for the others one short sentence
  /// For diverged: the first step whose loss was not finite, counted from 1 over the whole training, or the last step
  /// where only the weights after it are at fault; else 0.
  std::int64_t first_bad_step = 0;
  PhaseSeconds seconds;
  std::int64_t steps = 0;  ///< training steps of this fit()
  std::string engine;      ///< "graph"
  std::string device;      ///< "cuda:0"
  std::int64_t parameters = 0;
  int launches_per_step = 0;     ///< kernels or library calls of one full training step
  std::uint64_t plan_bytes = 0;  ///< device memory of the training plans: weights, gradients, activations, data
  /// Of the computer's memory, the most that the whole process holds: as train_network() planned it before it began (0:
  /// nobody did), and as it was when training ended.
  std::uint64_t planned_host_bytes = 0, host_peak_bytes = 0;

  /// The last record; throws UsageError when nothing was read back.
  [[nodiscard]] const EpochRecord& last() const;
};

/// Trains a model on the device it is on.
///
/// Data goes up once. A step (take the batch, forward, loss, backward, update, count) is one compiled plan, replayed
/// for every batch; an epoch reads back one small array. The model, the optimiser and the stop token must outlive the
/// Trainer. Same seed, same data, same device: same bits.
///
/// When the loss becomes NaN or infinite, training ends with StopReason::diverged at the next read-back. The model then
/// has the weights of the best epoch where validation data decides (restore_best). Else it has the last ones that were
/// read back (at first: those it came with) that are finite and give a finite loss over all training rows. Weights of
/// the last two read-backs are kept for that in copies on the device; of more than 4,194,304 weights those of the last
/// alone. FitReport::weights_epoch says which they are.
class Trainer {
 public:
  /// Throws UsageError for options out of range, naming the option: negative counts, shares outside [0, 1), numbers
  /// that are NaN or infinite, a schedule that cannot be, `resume` without a path. None is replaced by another value.
  Trainer(nn::Module& model, nn::Loss loss, optim::Optimizer& optimizer, TrainerOptions options = {});

  /// Trains. inputs (rows, features) float32; targets (rows,) int32 for cross_entropy, else float32 of the output's
  /// shape (or (rows,) for one output column). Both on any device. Throws UsageError for zero rows, unequal rows, a
  /// wrong dtype or a schedule whose rate leaves float32, DataError for NaN, infinity (naming row and column) or a
  /// label outside the classes, DeviceError when memory runs out and for a precision that the device has no units for.
  FitReport fit(const Array& inputs, const Array& targets);
  /// Row-major inputs, one label per row.
  FitReport fit(std::span<const float> inputs, std::span<const std::int32_t> labels);

  /// Mean loss and error in evaluation mode.
  [[nodiscard]] Evaluation evaluate(const Array& inputs, const Array& targets);

 private:
  nn::Module& model_;
  nn::Loss loss_;
  optim::Optimizer& optimizer_;
  TrainerOptions options_;
};

}  // namespace overtake
