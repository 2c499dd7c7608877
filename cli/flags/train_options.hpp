// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flags/reading_options.hpp"
#include "overtake/nn.hpp"
#include "overtake/optim.hpp"

namespace cli {

/// The flags of `overtake train`.
struct TrainFlags : ReadingFlags {
  std::string target;
  std::string hidden = "64,64";
  std::string activation = "relu";
  double dropout = 0;
  int epochs = 100;
  std::int64_t batch_size = 32;
  std::optional<double> learning_rate;  ///< not given: the optimiser's usual one
  std::string optimizer = "adam";
  double momentum = 0;
  std::optional<double> weight_decay;  ///< not given: the optimiser's default
  std::string schedule = "constant";
  double validation = 0;
  int patience = 0;
  std::string device = "auto";
  std::uint64_t seed = 0;
  int threads = 0;
  std::uint64_t memory_limit = 0;
  std::string save, checkpoint, json;
  int checkpoint_every = 10;
  bool resume = false;
  bool describe = false;
};

/// Adds the flags to a subcommand; they are written to `flags` when it is parsed.
void add_train_flags(CLI::App& app, TrainFlags& flags);
/// What the parser does not check: choices (naming the nearest), ranges, flags that belong together. Throws UsageError.
void check_train_flags(const TrainFlags& flags);

/// Before the network is made: throws DeviceError, with need and limit, where training it on batches of `rows` at most
/// needs more memory than the device (or --memory-limit) has. Counts weights, gradients, what the optimiser and the
/// Trainer keep of each weight, and the layers' outputs.
void check_network_memory(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs, std::int64_t rows);

/// inputs -> hidden layers with activation and dropout -> outputs. Weights are drawn from `flags.seed`.
[[nodiscard]] overtake::nn::Sequential make_network(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs);
[[nodiscard]] std::unique_ptr<overtake::optim::Optimizer> make_optimizer(const TrainFlags& flags,
                                                                         overtake::nn::Module& model);
[[nodiscard]] overtake::optim::Schedule make_schedule(const TrainFlags& flags);
/// "4 -> 64 -> 64 -> 3, relu"
[[nodiscard]] std::string network_text(const TrainFlags& flags, std::int64_t inputs, std::int64_t outputs);

}  // namespace cli
