// SPDX-License-Identifier: MIT
// Training a network for a table, and the model that comes of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/parallel.hpp"
#include "nn/training/batches_that_fit.hpp"
#include "overtake/error.hpp"
#include "overtake/metrics.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/ops.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

using report::Json;

NetworkFigures figures_of(const NetworkModel& model, const Dataset& rows, const Preprocessing& how, double loss) {
  NetworkFigures figures{.rows = rows.rows, .loss = loss};
  if (how.task == Task::classification) {
    figures.accuracy = accuracy(model.predict_classes(rows.inputs), rows.labels);
    return figures;
  }
  std::vector<double> truth(rows.targets.size());
  std::transform(rows.targets.begin(), rows.targets.end(), truth.begin(),
                 [&](double value) { return how.target_mean + how.target_scale * value; });
  const ErrorSums errors = error_sums(model.predict(rows.inputs), truth);
  figures.r2 = score_of_errors(Metric::r2, errors, truth);
  figures.root_mean_square_error = -score_of_errors(Metric::neg_root_mean_squared_error, errors, truth);
  return figures;
}

/// The cpu, and OpenCL on it, take the computer's memory, so that both limits hold there.
std::uint64_t device_limit(const NetworkOptions& options, const Device& device) {
  if (!is_in_host_memory(device.info().kind) || options.host_memory_limit == 0) return options.memory_limit;
  const std::uint64_t own = device.memory_held() + host_memory_left(options.host_memory_limit);
  return options.memory_limit > 0 ? std::min(options.memory_limit, own) : own;
}

Json json_of(Task task, const std::optional<NetworkFigures>& figures) {
  if (!figures) return {};
  Json json = Json::object();
  json.set("rows", figures->rows).set("loss", figures->loss);
  if (task == Task::classification) return json.set("accuracy", figures->accuracy).set("error", 1 - figures->accuracy);
  return json.set("r2", figures->r2).set("root_mean_square_error", figures->root_mean_square_error);
}

Json loss_json(const Preprocessing& how) {
  Json json = Json::object();
  if (how.task == Task::classification) return json.set("name", "cross_entropy").set("unit", "nats");
  json.set("name", "mse").set("unit", "standardised target squared");
  return json.set("target_mean", how.target_mean).set("target_scale", how.target_scale);
}

Json epochs_json(const FitReport& fit) {
  Json epochs = Json::array();
  for (const EpochRecord& record : fit.epochs) {
    Json json = Json::object();
    json.set("epoch", record.epoch).set("learning_rate", record.learning_rate);
    json.set("train_loss", record.train_loss).set("train_error", record.train_error);
    json.set("validation_loss", record.validation_loss).set("validation_error", record.validation_error);
    epochs.push(std::move(json));
  }
  return epochs;
}

}  // namespace

NetworkModel::NetworkModel(nn::Sequential network, const Preprocessing& how)
    : network_(std::move(network)),
      task_(how.task),
      inputs_(how.inputs()),
      outputs_(how.outputs()),
      target_mean_(how.target_mean),
      target_scale_(how.target_scale) {}

std::string NetworkModel::describe() const {
  const std::string answers = task_ == Task::classification ? report::counted(outputs_, "class", "es") : "numbers";
  return fmt::format("network of {} for {} and {}", report::counted(network_.parameter_count(), "parameter"),
                     report::counted(inputs_, "input"), answers);
}

Array NetworkModel::outputs(std::span<const float> inputs) const {
  constexpr std::int64_t most = 4096;
  const auto rows = static_cast<std::int64_t>(inputs.size()) / inputs_;
  const Array given = Array::from(inputs, {rows, inputs_});
  return nn::with_batch_that_fits(most,
                                  [&](std::int64_t batch) { return nn::predict(network_, given, batch).to("cpu"); });
}

std::vector<double> NetworkModel::predict(std::span<const float> inputs) const {
  const Array found = outputs(inputs);
  const std::vector<float> values = (task_ == Task::classification ? softmax(found) : found).to_vector<float>();
  std::vector<double> answers(values.begin(), values.end());
  if (task_ == Task::regression) {
    for (double& value : answers) value = target_mean_ + target_scale_ * value;
  }
  return answers;
}

std::vector<std::int32_t> NetworkModel::predict_classes(std::span<const float> inputs) const {
  if (task_ == Task::regression) throw UsageError("this network predicts numbers, not classes", "Use predict().");
  return astype(argmax(outputs(inputs), -1), DType::int32).to_vector<std::int32_t>();
}

std::vector<std::int64_t> NetworkModel::widths() const {
  std::vector<std::int64_t> widths = {inputs_};
  for (const nn::NamedValue& parameter : network_.named_parameters()) {
    if (parameter.name.ends_with(".weight")) widths.push_back(parameter.value->shape()[0]);
  }
  return widths;
}

void NetworkModel::save(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) const {
  save_model(path, network_, metadata);
}

TrainedNetwork train_network(const PreparedData& data, const NetworkOptions& options, const Device& device) {
  const Preprocessing& how = data.preprocessing;
  const MemoryPlan memory = check_fits(options, data, device);
  const std::uint64_t planned = std::max(host_memory_peak(), host_memory_held() + memory.bytes(MemoryPlace::host));
  device.set_memory_limit(device_limit(options, device));
  nn::Sequential network = make_network(options, how.inputs(), how.outputs());
  network.to(device);
  const auto optimizer = make_optimizer(options, network);
  const DataArrays training = arrays_of(data.training);
  const DataArrays validation = arrays_of(data.validation);
  TrainerOptions settings = options.training;
  settings.schedule = optim::Schedule::parse(options.schedule, settings.epochs);
  settings.validation_fraction = 0;  // `data` is split already
  settings.validation_inputs = validation.inputs;
  settings.validation_targets = validation.targets;
  TrainedNetwork trained;
  trained.fit = Trainer(network, network_loss(how.task), *optimizer, settings).fit(training.inputs, training.targets);
  trained.model = std::make_unique<NetworkModel>(std::move(network), how);
  const auto figures = [&](const Dataset& rows, double loss) {
    return rows.rows > 0 ? std::optional(figures_of(*trained.model, rows, how, loss)) : std::nullopt;
  };
  trained.training = figures(data.training, trained.fit.training.loss);
  trained.validation = figures(data.validation, trained.fit.validation.loss);
  trained.fit.planned_host_bytes = planned;
  trained.fit.host_peak_bytes = host_memory_peak();
  return trained;
}

std::string weights_text(const TrainedNetwork& trained) {
  const FitReport& fit = trained.fit;
  if (fit.weights_epoch == 0) return fit.mid_epoch ? "of some steps of epoch 1" : "those training began with";
  const std::string text = fmt::format("after epoch {}", fit.weights_epoch);
  if (fit.mid_epoch) return text + " and some steps of the next";
  if (trained.validation && fit.weights_epoch == fit.best_epoch) return text + ", the best on the rows to validate";
  return text + (fit.weights_epoch < fit.epochs_run ? ", the last whose loss is a number" : ", the last");
}

report::Json to_json(const TrainedNetwork& trained, const PreparedData& data) {
  const FitReport& fit = trained.fit;
  const Preprocessing& how = data.preprocessing;
  Json seconds = Json::object();
  seconds.set("compile", fit.seconds.compile).set("transfer", fit.seconds.transfer).set("compute", fit.seconds.compute);
  Json weights = Json::object();
  weights.set("epoch", fit.weights_epoch).set("mid_epoch", fit.mid_epoch).set("text", weights_text(trained));
  Json json = Json::object();
  json.set("schema", "overtake.train/1").set("overtake", version());
  json.set("task", name_of(how.task)).set("validation_rows", data.validation.rows);
  json.set("planned_host_bytes", fit.planned_host_bytes).set("host_peak_bytes", fit.host_peak_bytes);
  json.set("inputs", how.inputs()).set("outputs", how.outputs()).set("parameters", fit.parameters);
  json.set("device", fit.device).set("threads", thread_count()).set("engine", fit.engine);
  json.set("seconds", std::move(seconds)).set("steps", fit.steps);
  json.set("stop_reason", name_of(fit.stop_reason)).set("message", fit.message);
  json.set("first_bad_step", fit.first_bad_step > 0 ? Json(fit.first_bad_step) : Json());
  json.set("resumed_epoch", fit.resumed_epoch).set("epochs_run", fit.epochs_run).set("best_epoch", fit.best_epoch);
  json.set("weights", std::move(weights)).set("loss", loss_json(how));
  json.set("training", json_of(how.task, trained.training)).set("validation", json_of(how.task, trained.validation));
  return json.set("epochs", epochs_json(fit));
}

}  // namespace overtake
