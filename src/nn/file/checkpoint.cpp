// SPDX-License-Identifier: MIT
#include "nn/file/checkpoint.hpp"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "nn/file/checkpoint_format.hpp"
#include "nn/layers/tensors.hpp"
#include "overtake/data/safetensors.hpp"

namespace overtake::nn {
namespace {

using Json = nlohmann::json;

HostArray host_doubles(const std::vector<double>& values, std::vector<std::int64_t> extents) {
  HostArray array{ElementType::float64, std::move(extents), std::vector<std::byte>(values.size() * sizeof(double))};
  if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

HostArray history_tensor(const std::vector<EpochRecord>& history) {
  std::vector<double> values;
  for (const EpochRecord& record : history) {
    values.insert(values.end(), {static_cast<double>(record.epoch), record.learning_rate, record.train_loss,
                                 record.train_error, record.validation_loss, record.validation_error});
  }
  return host_doubles(values, {static_cast<std::int64_t>(history.size()), checkpoint_record_fields});
}

std::string data_text(const Array& inputs, const Array& targets) {
  if (!inputs.defined()) return "none";
  TensorFile content;
  content.tensors = {{"inputs", to_host(inputs)}, {"targets", to_host(targets)}};
  return fmt::format("{} with checksum {}", inputs.shape().to_string(), content_checksum(content));
}

// After which epochs figures are read back, and so which of them can be the best.
std::string read_back_text(const TrainerOptions& options) {
  if (options.report_every == 1) return "all";
  return fmt::format("multiples of {} and {}", options.report_every, options.checkpoint_every);
}

void add_snapshot(TensorFile& file, const std::string& prefix, const Snapshot& snapshot,
                  const std::vector<NamedValue>& names) {
  for (std::size_t i = 0; i < snapshot.values.size(); ++i) {
    file.tensors.push_back({prefix + names[i].name, to_host(snapshot.values[i])});
  }
}

Json divergence_json(const TrainingState& state) {
  if (!state.divergence) return {};
  const Divergence& divergence = *state.divergence;
  return {{"first_bad_step", divergence.first_bad_step},
          {"message", divergence.message},
          {"weights_epoch", divergence.weights_epoch}};
}

}  // namespace

std::vector<NamedValue> model_values(Module& model) {
  std::vector<NamedValue> values = model.named_parameters();
  for (const NamedValue& buffer : model.buffers()) values.push_back(buffer);
  return values;
}

Fingerprint fingerprint(Module& model, const Loss& loss, const optim::Optimizer& optimizer,
                        const TrainerOptions& options, const TrainingData& data) {
  Fingerprint result = {{"model", model.to_string()},
                        {"loss", loss.name},
                        {"optimizer", optimizer.describe()},
                        {"learning rate", fmt::format("{}", optimizer.learning_rate())},
                        {"schedule", options.schedule.describe()},
                        {"batch size", fmt::format("{}", options.batch_size)},
                        {"shuffle", options.shuffle ? "true" : "false"},
                        {"seed", fmt::format("{}", options.seed)},
                        {"min_delta", fmt::format("{}", options.min_delta)},
                        {"restore_best", options.restore_best ? "true" : "false"},
                        {"epochs read back", read_back_text(options)},
                        {"training data", data_text(data.inputs, data.targets)},
                        {"validation data", data_text(data.validation_inputs, data.validation_targets)}};
  // Settings that came later are written only where they count: files from before lack them.
  if (options.clip_grad_norm > 0) result["clip_grad_norm"] = fmt::format("{}", options.clip_grad_norm);
  const Precision precision = options.precision.value_or(current_precision());
  if (precision != Precision::fp32) result["precision"] = name_of(precision);
  if (options.accumulate > 1) result["accumulate"] = fmt::format("{}", options.accumulate);
  return result;
}

std::vector<NamedValue> stored_values(Module& model, optim::Optimizer& optimizer) {
  std::vector<NamedValue> values;
  for (const NamedValue& entry : model_values(model)) values.push_back({"model." + entry.name, entry.value});
  for (const NamedValue& entry : optimizer.state()) values.push_back({"optimizer." + entry.name, entry.value});
  return values;
}

void write_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                      const TrainingState& state, const Fingerprint& settings) {
  TensorFile file;
  for (const NamedValue& entry : stored_values(model, optimizer)) {
    file.tensors.push_back({entry.name, to_host(*entry.value)});
  }
  add_snapshot(file, "best.", state.kept, model_values(model));
  add_snapshot(file, "previous.", state.previous, model_values(model));
  file.tensors.push_back({"history", history_tensor(state.history)});
  file.tensors.push_back({"best_loss", host_doubles({state.best.loss}, {1})});
  for (const auto& [name, values] : state.figures) {
    file.tensors.push_back(
        {std::string(checkpoint_figures) + name, host_doubles(values, {static_cast<std::int64_t>(values.size())})});
  }
  const Json json = {{"format", checkpoint_format},
                     {"epoch", state.epoch},
                     {"best_epoch", state.best.epoch},
                     {"previous_epoch", state.previous.epoch},
                     {"ended", state.ended ? Json(std::string(name_of(*state.ended))) : Json()},
                     {"divergence", divergence_json(state)},
                     {"settings", settings}};
  file.metadata[checkpoint_key] = json.dump();
  write_safetensors(path, file);
}

}  // namespace overtake::nn
