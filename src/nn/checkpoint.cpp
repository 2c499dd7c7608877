// SPDX-License-Identifier: MIT
#include "nn/checkpoint.hpp"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "nn/tensors.hpp"
#include "overtake/error.hpp"
#include "overtake/safetensors.hpp"

namespace overtake::nn {
namespace {

using Json = nlohmann::json;

constexpr const char* metadata_key = "overtake.checkpoint";
constexpr const char* format_name = "overtake.checkpoint/2";
constexpr std::size_t record_fields = 6;

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
  return host_doubles(values, {static_cast<std::int64_t>(history.size()), record_fields});
}

std::vector<double> doubles_of(const TensorFile& file, const std::string& name, const std::string& context) {
  const HostArray* tensor = file.find(name);
  if (tensor == nullptr || tensor->type != ElementType::float64) {
    throw DataError(fmt::format("{}: the float64 tensor \"{}\" is missing", context, name));
  }
  std::vector<double> values(static_cast<std::size_t>(tensor->size()));
  if (!values.empty()) std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

std::vector<EpochRecord> history_of(const TensorFile& file, const std::string& context) {
  const std::vector<double> values = doubles_of(file, "history", context);
  if (values.size() % record_fields != 0) throw DataError(context + ": the tensor \"history\" has a wrong shape");
  std::vector<EpochRecord> history;
  for (std::size_t at = 0; at < values.size(); at += record_fields) {
    history.push_back(
        {static_cast<int>(values[at]), values[at + 1], values[at + 2], values[at + 3], values[at + 4], values[at + 5]});
  }
  return history;
}

Json parse_metadata(const TensorFile& file, const std::string& context) {
  const auto found = file.metadata.find(metadata_key);
  if (found == file.metadata.end()) {
    throw DataError(context + ": not a checkpoint of Overtake", "Pass the path of a file that a Trainer wrote.");
  }
  Json json = Json::parse(found->second, nullptr, false);
  if (!json.is_object() || !json.value("settings", Json()).is_object() || json.value("format", Json()) != format_name ||
      !json.value("epoch", Json()).is_number_integer() || !json.value("best_epoch", Json()).is_number_integer() ||
      !json.value("previous_epoch", Json()).is_number_integer() || !json.contains("ended") ||
      !json.contains("divergence")) {
    throw DataError(fmt::format("{}: the checkpoint's description is damaged or of another version (expected {})",
                                context, format_name));
  }
  return json;
}

void check_settings(const Json& stored, const Fingerprint& settings, const std::string& context) {
  std::string differences;
  for (const auto& [name, value] : settings) {
    const auto found = stored.find(name);
    const std::string before =
        found != stored.end() && found->is_string() ? found->get<std::string>() : "(not recorded)";
    if (before == value) continue;
    differences += fmt::format("{}{} was {}, is now {}", differences.empty() ? "" : "; ", name, before, value);
  }
  if (differences.empty()) return;
  throw DataError(fmt::format("{}: this checkpoint belongs to another training: {}", context, differences),
                  "Train with the same settings and data, or start anew without resuming.");
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

// All of a snapshot's tensors, or none of them.
std::vector<Array> snapshot_values(const TensorFile& file, const std::string& prefix,
                                   const std::vector<NamedValue>& names, const std::string& context) {
  std::vector<Array> values;
  for (const NamedValue& entry : names) {
    if (file.find(prefix + entry.name) == nullptr) continue;
    values.push_back(
        to_array(matching_tensor(file, prefix + entry.name, *entry.value, context), entry.value->device()));
  }
  if (!values.empty() && values.size() != names.size()) {
    throw DataError(fmt::format("{}: the checkpoint's weights \"{}\" are incomplete", context, prefix));
  }
  return values;
}

Json divergence_json(const Progress& progress) {
  if (!progress.divergence) return {};
  const Divergence& divergence = *progress.divergence;
  return {{"first_bad_step", divergence.first_bad_step},
          {"message", divergence.message},
          {"weights_epoch", divergence.weights_epoch}};
}

std::optional<Divergence> divergence_of(const Json& json, const std::string& context) {
  if (json.is_null()) return std::nullopt;
  if (!json.is_object() || !json.value("first_bad_step", Json()).is_number_integer() ||
      !json.value("message", Json()).is_string() || !json.value("weights_epoch", Json()).is_number_integer()) {
    throw DataError(context + ": the checkpoint does not say how its training diverged");
  }
  return Divergence{json["first_bad_step"].get<std::int64_t>(), json["message"].get<std::string>(),
                    json["weights_epoch"].get<int>()};
}

std::optional<StopReason> reason_of(const Json& json, const std::string& context) {
  if (json.is_null()) return std::nullopt;
  for (const StopReason reason :
       {StopReason::finished, StopReason::early_stopped, StopReason::interrupted, StopReason::diverged}) {
    if (json == std::string(name_of(reason))) return reason;
  }
  throw DataError(context + ": the checkpoint does not say why its training ended");
}

// A training that was shorter would have ended with other weights, which the file no longer has.
void check_length(const Progress& progress, const TrainerOptions& options, bool validates, const std::string& context) {
  const char* hint = "Ask for at least as many, or start anew without resuming.";
  if (progress.epoch > options.epochs) {
    throw DataError(
        fmt::format("{}: this checkpoint belongs to a longer training: it holds {} epochs, asked for are {}", context,
                    progress.epoch, options.epochs),
        hint);
  }
  const int end = exhausted_at(progress.history, options, validates);
  if (end == 0 || end >= progress.history.back().epoch) return;
  throw DataError(fmt::format("{}: this checkpoint belongs to a longer training: it holds {} epochs, and a patience of "
                              "{} would have ended it after epoch {}",
                              context, progress.epoch, options.patience, end),
                  hint);
}

// The arrays that a checkpoint holds, beside earlier weights.
std::vector<NamedValue> stored_values(Module& model, optim::Optimizer& optimizer) {
  std::vector<NamedValue> values;
  for (const NamedValue& entry : model_values(model)) values.push_back({"model." + entry.name, entry.value});
  for (const NamedValue& entry : optimizer.state()) values.push_back({"optimizer." + entry.name, entry.value});
  return values;
}

}  // namespace

std::vector<NamedValue> model_values(Module& model) {
  std::vector<NamedValue> values = model.named_parameters();
  for (const NamedValue& buffer : model.buffers()) values.push_back(buffer);
  return values;
}

Fingerprint fingerprint(Module& model, const Loss& loss, const optim::Optimizer& optimizer,
                        const TrainerOptions& options, const TrainingData& data) {
  return {{"model", model.to_string()},
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
}

void write_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                      const Progress& progress, const Fingerprint& settings) {
  TensorFile file;
  for (const NamedValue& entry : stored_values(model, optimizer)) {
    file.tensors.push_back({entry.name, to_host(*entry.value)});
  }
  add_snapshot(file, "best.", progress.kept, model_values(model));
  add_snapshot(file, "previous.", progress.previous, model_values(model));
  file.tensors.push_back({"history", history_tensor(progress.history)});
  file.tensors.push_back({"best_loss", host_doubles({progress.best.loss}, {1})});
  const Json json = {{"format", format_name},
                     {"epoch", progress.epoch},
                     {"best_epoch", progress.best.epoch},
                     {"previous_epoch", progress.previous.epoch},
                     {"ended", progress.ended ? Json(std::string(name_of(*progress.ended))) : Json()},
                     {"divergence", divergence_json(progress)},
                     {"settings", settings}};
  file.metadata[metadata_key] = json.dump();
  write_safetensors(path, file);
}

Progress read_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                         const TrainerOptions& options, bool validates, const Fingerprint& settings) {
  const std::string context = path.string();
  const TensorFile file = read_checked(path);
  const Json json = parse_metadata(file, context);
  check_settings(json["settings"], settings, context);
  Progress progress;
  progress.epoch = json["epoch"].get<int>();
  progress.best.epoch = json["best_epoch"].get<int>();
  progress.ended = reason_of(json["ended"], context);
  progress.divergence = divergence_of(json["divergence"], context);
  if (progress.divergence.has_value() != (progress.ended == StopReason::diverged)) {
    throw DataError(context + ": the checkpoint contradicts itself about how its training ended");
  }
  progress.history = history_of(file, context);
  const std::vector<double> best_loss = doubles_of(file, "best_loss", context);
  if (best_loss.size() != 1 || progress.epoch < 0) throw DataError(context + ": the checkpoint is damaged");
  progress.best.loss = best_loss.front();
  check_length(progress, options, validates, context);
  std::vector<const HostArray*> found;
  const std::vector<NamedValue> values = stored_values(model, optimizer);
  found.reserve(values.size());
  for (const NamedValue& entry : values) found.push_back(&matching_tensor(file, entry.name, *entry.value, context));
  progress.kept = {progress.best.epoch, snapshot_values(file, "best.", model_values(model), context)};
  progress.previous = {json["previous_epoch"].get<int>(),
                       snapshot_values(file, "previous.", model_values(model), context)};
  for (std::size_t i = 0; i < values.size(); ++i) overwrite_with(*values[i].value, *found[i]);
  return progress;
}

}  // namespace overtake::nn
