// SPDX-License-Identifier: MIT
// A network for tables from plain options: its layers, how it is trained, what it is worth.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "overtake/data/preprocessing.hpp"
#include "overtake/memory.hpp"
#include "overtake/model.hpp"
#include "overtake/nn/sequential.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/nn/work.hpp"
#include "overtake/report.hpp"

namespace overtake {

/// A multilayer perceptron and its training, in the words of scikit-learn and PyTorch.
struct NetworkOptions {
  std::vector<std::int64_t> hidden = {64, 64};  ///< widths of the hidden layers; empty: none
  std::string activation = "relu";              ///< relu, leaky_relu, tanh, sigmoid, gelu or silu
  double dropout = 0;                           ///< share of each hidden layer that is dropped in training
  std::string optimizer = "adam";               ///< sgd, adam or adamw
  std::optional<double> learning_rate;          ///< unset: 0.1 for sgd, else 0.001
  double momentum = 0;                          ///< of sgd
  std::optional<double> weight_decay;           ///< unset: 0.01 for adamw, else 0
  std::string schedule = "constant";            ///< see optim::Schedule::parse()
  std::uint64_t memory_limit = 0;               ///< bytes on the device; 0: no limit
  std::uint64_t host_memory_limit = 0;          ///< bytes of the computer's memory for the whole process; 0: no limit
  /// Of everything else; its seed is that of the weights, too, and its schedule and validation arrays are not looked
  /// at.
  TrainerOptions training{.batch_size = 32, .checkpoint_every = 10};

  /// Throws UsageError, beginning with the option's name, for values that are none of those above, out of range, or of
  /// an option that would not be used (momentum without sgd, dropout without hidden layers).
  void check() const;
};

/// What network_work() counts.
[[nodiscard]] NetworkShape network_shape(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs,
                                         std::int64_t rows, std::int64_t validation_rows);

/// inputs -> hidden layers with activation and dropout -> outputs. Weights are drawn from options.training.seed.
[[nodiscard]] nn::Sequential make_network(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs);
/// "4 -> 64 -> 64 -> 3, relu, 4,675 parameters"
[[nodiscard]] std::string to_text(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs);
[[nodiscard]] std::unique_ptr<optim::Optimizer> make_optimizer(const NetworkOptions& options, nn::Module& model);
/// Cross entropy for classes, the mean square of the standardised error for numbers.
[[nodiscard]] nn::Loss network_loss(Task task);

/// A data set as arrays on the CPU; undefined where it has no rows.
struct DataArrays {
  Array inputs, targets;
};
[[nodiscard]] DataArrays arrays_of(const Dataset& data);

/// Before a network is made: throws DeviceError, with need and limit, where training it on batches of `rows` at most
/// needs more memory than the computer has, than options.memory_limit, or, unless it is null, than `device` has. Counts
/// weights, gradients, what the optimiser and the Trainer keep of each weight, and the layers' outputs.
void check_network_memory(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                          const Device* device = nullptr);

/// What train_network() takes beside the data set where it takes most: weights and what is kept of each, the layers'
/// outputs for a batch, the rows as arrays. Those of the device count as the host's where that is "cpu".
[[nodiscard]] MemoryPlan memory_of(const NetworkOptions& options, const PreparedData& data, const DeviceInfo& device);

/// What answering `rows` by a network of these widths (Model::widths()) takes beside its weights: programs, a copy of
/// the widest weights as they are multiplied, the layers of the 4,096 rows that are answered at once, and those of the
/// last ones.
[[nodiscard]] MemoryPlan memory_of_answers(const std::vector<std::int64_t>& widths, std::int64_t rows,
                                           const DeviceInfo& device);

/// Throws what train_network() throws before it makes the network; else memory_of() it.
MemoryPlan check_fits(const NetworkOptions& options, const PreparedData& data, const Device& device);

/// A trained network behind the face that all models have.
class NetworkModel final : public Model {
 public:
  /// `how` says whether the outputs are classes, or how they become numbers in the target's unit.
  NetworkModel(nn::Sequential network, const Preprocessing& how);
  [[nodiscard]] nn::Sequential& network() noexcept { return network_; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<double> predict(std::span<const float> inputs) const override;
  [[nodiscard]] std::vector<std::int32_t> predict_classes(std::span<const float> inputs) const override;
  [[nodiscard]] std::vector<std::int64_t> widths() const override;
  void save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata = {}) const override;

 private:
  [[nodiscard]] Array outputs(std::span<const float> inputs) const;

  mutable nn::Sequential network_;  // forward() of modules is not const
  Task task_;
  std::int64_t inputs_, outputs_;
  double target_mean_, target_scale_;
};

/// What a network is worth on some rows, as predict() would answer for them.
struct NetworkFigures {
  std::int64_t rows = 0;
  double loss = 0;      ///< cross entropy in nats a row; for numbers the mean square of the standardised error
  double accuracy = 0;  ///< classification: share of right rows
  double r2 = 0;        ///< regression; NaN for fewer than two rows
  double root_mean_square_error = 0;  ///< regression, in the target's unit
};

/// What train_network() gives.
struct TrainedNetwork {
  std::unique_ptr<NetworkModel> model;
  FitReport fit;
  std::optional<NetworkFigures> training, validation;  ///< none without rows
};

/// Makes a network for the data and trains it on `device`. Throws what NetworkOptions::check(), check_network_memory()
/// and Trainer throw. Same seed, same data, same device: same bits.
[[nodiscard]] TrainedNetwork train_network(const PreparedData& data, const NetworkOptions& options,
                                           const Device& device = {});

/// Which weights the model has, and why: "after epoch 12, the best on the rows to validate".
[[nodiscard]] std::string weights_text(const TrainedNetwork& trained);
/// The figures of the schema "overtake.train/1" (docs/cli.md), without what only the caller knows: data, target, rows,
/// table, reason of the device, file of the model.
[[nodiscard]] report::Json to_json(const TrainedNetwork& trained, const PreparedData& data);

}  // namespace overtake
