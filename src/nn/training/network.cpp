// SPDX-License-Identifier: MIT
// Networks from plain options: what they are made of, and what may be asked for.
#include "overtake/nn/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "nn/training/evaluator.hpp"
#include "nn/training/float_setting.hpp"
#include "nn/training/make_optimizer.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace overtake {
namespace {

const std::vector<std::string> activations = {"relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu"};
constexpr std::array layer_types = {"ReLU", "LeakyReLU", "Tanh", "Sigmoid", "GELU", "SiLU"};  // in that order

constexpr std::int64_t most_width = std::int64_t{1} << 24;

/// What NetworkModel predicts at a time.
constexpr std::int64_t predicted_rows = 4096;
/// Code of the library of products, made and loaded as it is needed, and its threads.
constexpr std::uint64_t bytes_of_programs = std::uint64_t{7} << 20;
/// Of its products forward alone, of batches of a few sizes: that of the last rows, and those that were tried first.
constexpr std::uint64_t bytes_of_answering_programs = std::uint64_t{11} << 20;

void require(bool holds, const std::string& message) {
  if (!holds) throw UsageError(message);
}

double learning_rate(const NetworkOptions& options) {
  return options.learning_rate.value_or(options.optimizer == "sgd" ? 0.1 : 1e-3);
}

double weight_decay(const NetworkOptions& options) {
  return options.weight_decay.value_or(options.optimizer == "adamw" ? optim::adamw_defaults().weight_decay : 0.0);
}

/// Weights and biases, and the outputs of all layers for one row.
struct Size {
  double weights = 0, widths = 0;
  double widest_pair = 0;  // of layers next to each other: one is made of the other
};

Size size_of(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs) {
  Size size;
  auto before = static_cast<double>(inputs);
  const auto add = [&](std::int64_t width) {
    size.weights += (before + 1) * static_cast<double>(width);
    size.widths += static_cast<double>(width);
    size.widest_pair = std::max(size.widest_pair, before + static_cast<double>(width));
    before = static_cast<double>(width);
  };
  for (const std::int64_t width : options.hidden) add(width);
  add(outputs);
  return size;
}

/// Numbers that the optimiser keeps for each weight: momentum, or Adam's two.
int moments_of(const NetworkOptions& options) { return options.optimizer != "sgd" ? 2 : options.momentum > 0 ? 1 : 0; }

/// Weight and gradient, one more that the Trainer keeps, and the moments.
int copies_of_weights(const NetworkOptions& options) { return 3 + moments_of(options); }

}  // namespace

void NetworkOptions::check() const {
  text::check_choice("activation", activation, activations);
  text::check_choice("optimizer", optimizer, std::vector<std::string>{"sgd", "adam", "adamw"});
  for (const std::int64_t width : hidden) {
    require(width >= 1 && width <= most_width, fmt::format("hidden {} is not from 1 to {}", width, most_width));
  }
  nn::require_float("network", "dropout", dropout);
  require(static_cast<float>(dropout) < 1, fmt::format("dropout must be at least 0 and below 1, not {}", dropout));
  require(dropout == 0 || !hidden.empty(), "dropout belongs to hidden layers, and there are none");
  nn::require_float("network", "learning_rate", overtake::learning_rate(*this));
  nn::require_float("network", "weight_decay", overtake::weight_decay(*this));
  nn::require_float("network", "momentum", momentum);
  require(momentum == 0 || optimizer == "sgd", "momentum belongs to the optimizer sgd");
  require(training.epochs >= 1, fmt::format("epochs {} must be at least 1", training.epochs));
  training.check();
  try {
    optim::Schedule::parse(schedule, training.epochs).check(overtake::learning_rate(*this), training.epochs);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("schedule \"{}\": {}", schedule, error.what()), error.hint());
  }
}

nn::Sequential make_network(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs) {
  const auto activation = std::find(activations.begin(), activations.end(), options.activation) - activations.begin();
  nn::manual_seed(options.training.seed);
  nn::Sequential model;
  std::int64_t width = inputs;
  for (const std::int64_t next : options.hidden) {
    model.add(nn::Linear(width, next));
    model.add(nn::make_layer({layer_types.at(static_cast<std::size_t>(activation)), {}}));
    if (options.dropout > 0) model.add(nn::Dropout(static_cast<float>(options.dropout)));
    width = next;
  }
  model.add(nn::Linear(width, outputs));
  return model;
}

std::string to_text(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs) {
  std::string text = fmt::format("{}", inputs);
  for (const std::int64_t width : options.hidden) text += fmt::format(" -> {}", width);
  text += fmt::format(" -> {}", outputs);
  if (!options.hidden.empty()) text += ", " + options.activation;
  return text + fmt::format(", {} parameters",
                            report::count(static_cast<std::int64_t>(size_of(options, inputs, outputs).weights)));
}

NetworkShape network_shape(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                           std::int64_t validation_rows) {
  NetworkShape shape{{inputs}, rows, validation_rows, options.training.batch_size, options.training.epochs, 0};
  shape.widths.insert(shape.widths.end(), options.hidden.begin(), options.hidden.end());
  shape.widths.push_back(outputs);
  shape.moments = moments_of(options);
  return shape;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const NetworkOptions& options, nn::Module& model) {
  return nn::make_optimizer({options.optimizer, learning_rate(options), options.momentum, weight_decay(options)},
                            model.parameters());
}

nn::Loss network_loss(Task task) { return task == Task::classification ? nn::Loss::cross_entropy() : nn::Loss::mse(); }

DataArrays arrays_of(const Dataset& data) {
  if (data.rows == 0) return {};
  const Array inputs = Array::from(data.inputs, {data.rows, data.features});
  if (data.task == Task::classification) return {inputs, Array::from(data.labels, {data.rows})};
  return {inputs, Array::from(std::vector<float>(data.targets.begin(), data.targets.end()), {data.rows})};
}

MemoryPlan memory_of(const NetworkOptions& options, const PreparedData& data, const DeviceInfo& device) {
  const Preprocessing& how = data.preprocessing;
  const Size size = size_of(options, how.inputs(), how.outputs());
  const auto bytes = [](double values) { return static_cast<std::uint64_t>(values * sizeof(float)); };
  const auto rows = static_cast<double>(data.training.rows + data.validation.rows);
  const std::int64_t larger = std::max(data.training.rows, data.validation.rows);
  const auto at_once = [](std::int64_t batch, std::int64_t of) { return static_cast<double>(std::min(batch, of)); };
  const auto of_row = static_cast<double>(how.inputs()) + 1;
  const bool on_host = device.kind == DeviceKind::cpu;
  const MemoryPlace place = is_in_host_memory(device.kind) ? MemoryPlace::host : MemoryPlace::device;
  MemoryPlan plan;
  plan.add("programs that compute", place == MemoryPlace::host ? bytes_of_programs : 0);
  plan.add("rows as arrays", bytes(rows * of_row));
  plan.add("rows while they are checked", bytes(static_cast<double>(larger) * of_row));
  plan.add("weights, gradients and the optimiser's state", bytes(copies_of_weights(options) * size.weights), place);
  plan.add("layers of a batch", bytes(2 * at_once(options.training.batch_size, data.training.rows) * size.widths),
           place);
  const std::int64_t judged = std::max(nn::judged_rows, options.training.batch_size);
  plan.add("layers of rows that are judged", bytes(at_once(judged, larger) * size.widest_pair), place);
  const double last =
      larger > predicted_rows ? static_cast<double>(larger % predicted_rows) : 0;  // has a plan of its own
  const double predicted = at_once(predicted_rows, larger) + last;
  plan.add("layers of rows that are predicted", bytes(predicted * size.widest_pair), place);
  if (on_host) return plan;
  plan.add("rows on the device", bytes(rows * of_row), place);
  plan.add("weights as they are made, and come back", bytes(2 * size.weights));
  // Of blocks that are up to an eighth larger than what was asked for (backend/common/caching_allocator.hpp).
  if (place == MemoryPlace::host) plan.add("unused ends of blocks", plan.bytes(place) / 16);
  return plan;
}

MemoryPlan memory_of_answers(const std::vector<std::int64_t>& widths, std::int64_t rows, const DeviceInfo& device) {
  double widest_pair = 0, widest_weights = 0;
  for (std::size_t layer = 1; layer < widths.size(); ++layer) {
    const auto from = static_cast<double>(widths[layer - 1]), to = static_cast<double>(widths[layer]);
    widest_pair = std::max(widest_pair, from + to);
    widest_weights = std::max(widest_weights, from * to);
  }
  const MemoryPlace place = is_in_host_memory(device.kind) ? MemoryPlace::host : MemoryPlace::device;
  const auto bytes = [](double values) { return static_cast<std::uint64_t>(values * sizeof(float)); };
  const std::int64_t at_once = std::min(rows, predicted_rows);
  const std::int64_t last = rows > predicted_rows ? rows % predicted_rows : 0;  // has a plan of its own
  MemoryPlan plan;
  plan.add("programs that compute", place == MemoryPlace::host ? bytes_of_answering_programs : 0);
  plan.add("weights as they are multiplied", bytes(widest_weights), place);
  plan.add("layers of rows that are predicted", bytes(static_cast<double>(at_once + last) * widest_pair), place);
  return plan;
}

void check_network_memory(const NetworkOptions& options, std::int64_t inputs, std::int64_t outputs, std::int64_t rows,
                          const Device* device) {
  constexpr double value_bytes = sizeof(float);
  const Size size = size_of(options, inputs, outputs);
  const auto refuse_beyond = [&](const std::string& who, std::uint64_t limit, double need) {
    if (limit == 0 || need <= static_cast<double>(limit)) return;
    throw DeviceError(
        fmt::format("hidden {}: the network has {} weights and needs at least {}, but {} {}",
                    fmt::join(options.hidden, ","), report::significant(size.weights),
                    report::bytes(static_cast<std::uint64_t>(need)), who, report::bytes(limit)),
        memory_cure(limit == options.memory_limit ? limit : 0, 0, "use narrower layers or a smaller batch."));
  };
  // The network is made on the CPU and moved from there.
  refuse_beyond("the computer has", Device("cpu").info().memory_bytes, value_bytes * size.weights);
  const double copies = copies_of_weights(options);
  const auto batch = static_cast<double>(std::min(options.training.batch_size, rows));
  const double need = value_bytes * (copies * size.weights + batch * size.widths);
  refuse_beyond("the limit is", options.memory_limit, need);
  if (device != nullptr) refuse_beyond(device->id() + " has", device->info().memory_bytes, need);
}

MemoryPlan check_fits(const NetworkOptions& options, const PreparedData& data, const Device& device) {
  options.check();
  const Preprocessing& how = data.preprocessing;
  check_network_memory(options, how.inputs(), how.outputs(), data.training.rows, &device);
  MemoryPlan memory = memory_of(options, data, device.info());
  require_host_memory(memory, options.host_memory_limit, "training the network",
                      "use narrower layers, a smaller batch or fewer rows.");
  return memory;
}

}  // namespace overtake
