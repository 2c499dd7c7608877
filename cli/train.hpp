// SPDX-License-Identifier: MIT
// What training a network and training a forest share.
#pragma once

#include "flags/train_options.hpp"
#include "overtake/report.hpp"
#include "overtake/transfer.hpp"
#include "training_data.hpp"

namespace cli {

/// `overtake train` for each kind. All give the exit code.
[[nodiscard]] int run_network_training(const TrainFlags& flags);
[[nodiscard]] int run_image_training(const CLI::App& app, const TrainFlags& flags);
[[nodiscard]] int run_forest_training(const CLI::App& app, const TrainFlags& flags);

/// Completes the library's JSON of a training and writes it to --json, if that was given. `transfers`: of the training.
void write_training_json(overtake::report::Json json, const TrainFlags& flags, const TrainingData& data,
                         const overtake::Placement& device, const overtake::TransferStats& transfers);
/// "saved FILE\n", or nothing.
[[nodiscard]] std::string saved_text(const TrainFlags& flags);

}  // namespace cli
