// SPDX-License-Identifier: MIT
// Where a training stands, and the file that keeps it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nn/training/early_stopping.hpp"
#include "nn/training/trainer_data.hpp"

namespace overtake::nn {

/// Copies of model_values() after an epoch; no arrays when they are not kept.
struct Snapshot {
  int epoch = 0;
  std::vector<Array> values;
};

/// How a training went that ended because of figures that were no longer finite.
struct Divergence {
  std::int64_t first_bad_step = 0;
  std::string message;
  int weights_epoch = 0;  ///< whose weights it ended with
};

/// Where a training stands between two epochs. Random numbers need no place of their own: row orders are a function of
/// (seed, epoch), and Dropout's counters are buffers of the model.
struct TrainingState {
  int epoch = 0;  ///< complete epochs
  Best best;      ///< by monitored loss
  std::vector<EpochRecord> history;
  Snapshot kept;      ///< the weights of the best epoch, where validation decides
  Snapshot previous;  ///< of the read-back before the latest: what divergence falls back on where nothing is `kept`
  std::optional<StopReason> ended;       ///< why training ended; empty in a file that was written on the way
  std::optional<Divergence> divergence;  ///< with StopReason::diverged
  std::map<std::string, std::vector<double>> figures;  ///< what else the trainer of the model keeps, by name
};

/// All settings and data that decide the result of a training, as text by name. The numbers of epochs and of patience
/// are not among them: they say when to end, and a training can be continued.
using Fingerprint = std::map<std::string, std::string>;
[[nodiscard]] Fingerprint fingerprint(Module& model, const Loss& loss, const optim::Optimizer& optimizer,
                                      const TrainerOptions& options, const TrainingData& data);

/// Parameters and buffers, by name, in a fixed order.
[[nodiscard]] std::vector<NamedValue> model_values(Module& model);

/// Writes one safetensors file, atomically. Throws DataError.
void write_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                      const TrainingState& state, const Fingerprint& settings);

/// Overwrites the arrays of model and optimiser with those of the file. Throws DataError, before anything is
/// overwritten, for a file that is damaged, is not a checkpoint, or was made with other settings (naming the
/// difference); also when it holds more epochs than `options` ask for, or than their patience would have allowed:
/// training cannot go back. `validates`: there is validation data.
[[nodiscard]] TrainingState read_checkpoint(const std::filesystem::path& path, Module& model,
                                            optim::Optimizer& optimizer, const TrainerOptions& options, bool validates,
                                            const Fingerprint& settings);

}  // namespace overtake::nn
