// SPDX-License-Identifier: MIT
// A checkpoint comes from outside: every number is checked before it is cast, and the parts against each other.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "core/whole_number.hpp"
#include "data/table/message.hpp"
#include "nn/file/checkpoint.hpp"
#include "nn/file/checkpoint_format.hpp"
#include "nn/layers/tensors.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake::nn {
namespace {

using Json = nlohmann::json;

constexpr int most_epochs = std::numeric_limits<int>::max();
constexpr std::array known_keys = {"format", "epoch",      "best_epoch", "previous_epoch",
                                   "ended",  "divergence", "settings"};

/// Reads one file; every message begins with its name.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : context_(path.string()), file_(read_checked(path)) {
    const auto found = file_.metadata.find(checkpoint_key);
    if (found == file_.metadata.end()) {
      fail("not a checkpoint of Overtake", "Pass the path of a file that a Trainer wrote.");
    }
    if (is_deep_json(found->second)) fail(fmt::format("its description nests deeper than {} levels", deepest_json));
    json_ = Json::parse(shallow_json(found->second), nullptr, false);
    if (!json_.is_object() || !json_.contains("format") || json_["format"] != checkpoint_format) {
      fail(fmt::format("the checkpoint's description is damaged or of another version (expected {})",
                       checkpoint_format));
    }
    for (const char* key : known_keys) {
      if (!json_.contains(key)) fail(fmt::format("the checkpoint's description lacks {}", key));
    }
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known_keys.begin(), known_keys.end(), key) != known_keys.end()) continue;
      fail(fmt::format("the checkpoint's description has the unknown key {}", data::quote(key)),
           "This version of Overtake may be older than the file.");
    }
  }

  void check_settings(const Fingerprint& settings) const {
    const Json& stored = json_["settings"];
    if (!stored.is_object()) fail("settings is no object");
    std::string differences;
    const auto differs = [&](const std::string& name, const std::string& before, const std::string& now) {
      differences += fmt::format("{}{} was {}, is now {}", differences.empty() ? "" : "; ", name, before, now);
    };
    for (const auto& [name, value] : settings) {
      const auto found = stored.find(name);
      const std::string before =
          found != stored.end() && found->is_string() ? found->get<std::string>() : "(not recorded)";
      if (before != value) differs(name, before, value);
    }
    for (const auto& [name, value] : stored.items()) {
      if (!settings.contains(name))
        differs(data::quote(name), data::quote(value.is_string() ? value.get<std::string>() : value.dump()),
                "(not known)");
    }
    if (differences.empty()) return;
    fail("this checkpoint belongs to another training: " + differences,
         "Train with the same settings and data, or start anew without resuming.");
  }

  /// All but the snapshots.
  [[nodiscard]] TrainingState read_state(const TrainerOptions& options, bool validates) const {
    TrainingState state;
    state.epoch = epoch("epoch", json_["epoch"], 0, most_epochs);
    state.best.epoch = epoch("best_epoch", json_["best_epoch"], 0, state.epoch);
    state.previous.epoch = epoch("previous_epoch", json_["previous_epoch"], 0, state.epoch);
    state.kept.epoch = state.best.epoch;
    state.ended = read_reason();
    state.divergence = read_divergence(state.epoch);
    if (state.divergence.has_value() != (state.ended == StopReason::diverged)) {
      fail("the checkpoint contradicts itself about how its training ended");
    }
    state.history = read_history(state);
    state.best.loss = read_best_loss(state, validates);
    check_length(state, options, validates);
    return state;
  }

  /// All of a snapshot's tensors, or none of them.
  [[nodiscard]] std::vector<Array> snapshot(const std::string& prefix, const std::vector<NamedValue>& names) {
    std::vector<Array> values;
    for (const NamedValue& entry : names) {
      if (file_.find(prefix + entry.name) == nullptr) continue;
      values.push_back(to_array(tensor(prefix + entry.name, *entry.value), entry.value->device()));
    }
    if (!values.empty() && values.size() != names.size()) {
      fail(fmt::format("the checkpoint's weights \"{}\" are incomplete", prefix));
    }
    return values;
  }

  [[nodiscard]] const HostArray& tensor(const std::string& name, const Array& like) {
    ++taken_;
    return matching_tensor(file_, name, like, context_);
  }

  [[nodiscard]] std::map<std::string, std::vector<double>> figures() {
    std::map<std::string, std::vector<double>> found;
    for (const NamedArray& each : file_.tensors) {
      if (!each.name.starts_with(checkpoint_figures)) continue;
      ++taken_;
      found[each.name.substr(checkpoint_figures.size())] = doubles(each.name, 1);
    }
    return found;
  }

  /// A tensor of the model or the optimiser as it was; what counts something holds counts.
  [[nodiscard]] const HostArray& state(const NamedValue& entry) {
    const HostArray& found = tensor(entry.name, *entry.value);
    const bool counts = found.type == ElementType::int32 || entry.name == "optimizer.step";
    if (!counts) return found;
    const std::vector<float> numbers = to_float32(found);
    const auto is_count = [](float value) {
      return whole_number(static_cast<double>(value), 0, std::int64_t{1} << 31).has_value();
    };
    if (std::all_of(numbers.begin(), numbers.end(), is_count)) return found;
    fail(fmt::format("the checkpoint is damaged: {} is no count", entry.name));
  }

  /// To be called last.
  void check_all_taken() const {
    constexpr std::size_t of_state = 2;  // history, best_loss
    if (taken_ + of_state != file_.tensors.size()) fail("it holds tensors that belong to no checkpoint");
  }

  [[noreturn]] void fail(const std::string& what,
                         const std::string& hint = "Use an unaltered copy, or start anew without resuming.") const {
    throw DataError(fmt::format("{}: {}", context_, what), hint);
  }

 private:
  [[nodiscard]] static std::string shown(const Json& value) { return value.dump(); }
  [[nodiscard]] static std::string shown(double value) { return fmt::format("{}", value); }

  /// A whole number of JSON or of a tensor.
  template <typename Value>
  [[nodiscard]] std::int64_t whole(const std::string& key, const Value& value, std::int64_t least,
                                   std::int64_t most) const {
    const std::optional<std::int64_t> number = whole_number(value, least, most);
    if (!number) {
      fail(fmt::format("the checkpoint is damaged: {} is {}, expected a whole number from {} to {}", key,
                       data::quote(shown(value)), least, most));
    }
    return *number;
  }

  template <typename Value>
  [[nodiscard]] int epoch(const std::string& key, const Value& value, int least, int most) const {
    return static_cast<int>(whole(key, value, least, most));
  }

  [[nodiscard]] std::optional<StopReason> read_reason() const {
    const Json& ended = json_["ended"];
    if (ended.is_null()) return std::nullopt;
    for (const StopReason reason :
         {StopReason::finished, StopReason::early_stopped, StopReason::interrupted, StopReason::diverged}) {
      if (ended == std::string(name_of(reason))) return reason;
    }
    fail("the checkpoint does not say why its training ended");
  }

  [[nodiscard]] std::optional<Divergence> read_divergence(int last) const {
    const Json& json = json_["divergence"];
    if (json.is_null()) return std::nullopt;
    if (!json.is_object() || json.size() != 3 || !json.contains("first_bad_step") || !json.contains("message") ||
        !json.contains("weights_epoch") || !json["message"].is_string()) {
      fail("the checkpoint does not say how its training diverged");
    }
    return Divergence{whole("first_bad_step", json["first_bad_step"], 1, std::numeric_limits<std::int64_t>::max()),
                      json["message"].get<std::string>(), epoch("weights_epoch", json["weights_epoch"], 0, last)};
  }

  [[nodiscard]] std::vector<double> doubles(const std::string& name, std::size_t rank) const {
    const HostArray* found = file_.find(name);
    if (found == nullptr || found->type != ElementType::float64 || found->extents.size() != rank) {
      fail(fmt::format("the float64 tensor \"{}\" of {} dimensions is missing", name, rank));
    }
    std::vector<double> values(static_cast<std::size_t>(found->size()));
    if (!values.empty()) std::memcpy(values.data(), found->bytes.data(), found->bytes.size());
    return values;
  }

  /// The records of the epochs, in order; the last is of the last epoch, unless that one diverged.
  [[nodiscard]] std::vector<EpochRecord> read_history(const TrainingState& state) const {
    const std::vector<double> values = doubles("history", 2);
    if (file_.find("history")->extents[1] != static_cast<std::int64_t>(checkpoint_record_fields)) {
      fail("the tensor \"history\" has a wrong shape");
    }
    std::vector<EpochRecord> history;
    for (std::size_t at = 0; at < values.size(); at += checkpoint_record_fields) {
      const int least = history.empty() ? 1 : std::min(history.back().epoch, most_epochs - 1) + 1;
      const int number = epoch("an epoch of the history", values[at], least, std::max(least, state.epoch));
      history.push_back({number, values[at + 1], values[at + 2], values[at + 3], values[at + 4], values[at + 5]});
      check_record(history.back());
    }
    const int last = history.empty() ? 0 : history.back().epoch;
    if (last > state.epoch || (last < state.epoch && !state.divergence)) {
      fail(fmt::format("the checkpoint is damaged: epoch is {}, its history ends with {}", state.epoch, last));
    }
    return history;
  }

  void check_record(const EpochRecord& record) const {
    const auto is_share = [](double value) { return std::isnan(value) || (value >= 0 && value <= 1); };
    if (!(record.learning_rate >= 0) || !std::isfinite(record.train_loss) || !is_share(record.train_error) ||
        !is_share(record.validation_error)) {
      fail(
          fmt::format("the checkpoint is damaged: the history of epoch {} holds figures that cannot be", record.epoch));
    }
  }

  [[nodiscard]] double read_best_loss(const TrainingState& state, bool validates) const {
    const std::vector<double> stored = doubles("best_loss", 1);
    if (stored.size() != 1) fail("the checkpoint is damaged: best_loss is no single number");
    const int best = state.best.epoch;
    const auto is_best = [&](const EpochRecord& record) {
      return record.epoch == best && monitored(record, validates) == stored.front();
    };
    const bool fits =
        best == 0 ? stored.front() == Best().loss : std::any_of(state.history.begin(), state.history.end(), is_best);
    if (!fits) {
      fail(fmt::format("the checkpoint is damaged: best_epoch is {}, best_loss is {}, which its history does not say",
                       best, stored.front()));
    }
    return stored.front();
  }

  // A training that was shorter would have ended with other weights, which the file no longer has.
  void check_length(const TrainingState& state, const TrainerOptions& options, bool validates) const {
    const char* hint = "Ask for at least as many, or start anew without resuming.";
    if (state.epoch > options.epochs) {
      fail(fmt::format("this checkpoint belongs to a longer training: it holds {} epochs, asked for are {}",
                       state.epoch, options.epochs),
           hint);
    }
    const int end = exhausted_at(state.history, options, validates);
    if (end == 0 || end >= state.history.back().epoch) return;
    fail(
        fmt::format("this checkpoint belongs to a longer training: it holds {} epochs, and a patience of {} would have "
                    "ended it after epoch {}",
                    state.epoch, options.patience, end),
        hint);
  }

  std::string context_;
  TensorFile file_;
  Json json_;
  std::size_t taken_ = 0;  // tensors
};

}  // namespace

TrainingState read_checkpoint(const std::filesystem::path& path, Module& model, optim::Optimizer& optimizer,
                              const TrainerOptions& options, bool validates, const Fingerprint& settings) {
  Reader reader(path);
  reader.check_settings(settings);
  TrainingState state = reader.read_state(options, validates);
  std::vector<const HostArray*> found;
  const std::vector<NamedValue> values = stored_values(model, optimizer);
  found.reserve(values.size());
  for (const NamedValue& entry : values) found.push_back(&reader.state(entry));
  state.kept.values = reader.snapshot("best.", model_values(model));
  state.previous.values = reader.snapshot("previous.", model_values(model));
  state.figures = reader.figures();
  reader.check_all_taken();
  const bool keeps_best = validates && options.restore_best && state.best.epoch > 0;
  if (state.kept.values.empty() == keeps_best) {
    reader.fail(fmt::format("the checkpoint is damaged: best_epoch is {}, and it holds {} weights of it",
                            state.best.epoch, keeps_best ? "no" : "unexpected"));
  }
  for (std::size_t i = 0; i < values.size(); ++i) overwrite_with(*values[i].value, *found[i]);
  return state;
}

}  // namespace overtake::nn
