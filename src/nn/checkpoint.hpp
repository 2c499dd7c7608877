// SPDX-License-Identifier: MIT
// Where a training stands, and the file that keeps it.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "nn/trainer_data.hpp"

namespace overtake::nn {

/// Where a training stands between two epochs. Random numbers need no place of their own: row orders are a function of
/// (seed, epoch), and Dropout's counters are buffers of the model.
struct Progress {
  int epoch = 0;  ///< complete epochs
  int best_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();
  std::vector<EpochRecord> history;
  std::vector<Array> best;  ///< copies of model_values() at the best epoch; empty when they are not kept
};

/// All settings and data that decide the result of a training, as text by name. The number of epochs is not among them:
/// a finished training can be continued.
using Fingerprint = std::map<std::string, std::string>;
[[nodiscard]] Fingerprint fingerprint(Module& model, const Loss& loss, const optim::Optimizer& optimizer,
                                      const TrainerOptions& options, const TrainingData& data);

/// Parameters and buffers, by name, in a fixed order.
[[nodiscard]] std::vector<NamedValue> model_values(Module& model);

/// Writes one safetensors file, atomically. Throws DataError.
void write_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                      const Progress& progress, const Fingerprint& settings);

/// Overwrites the arrays of model and optimiser with those of the file. Throws DataError, before anything is
/// overwritten, for a file that is damaged, is not a checkpoint, or was made with other settings (naming the
/// difference).
[[nodiscard]] Progress read_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                                       const Fingerprint& settings);

}  // namespace overtake::nn
