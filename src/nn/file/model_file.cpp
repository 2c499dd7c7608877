// SPDX-License-Identifier: MIT
#include "overtake/nn/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/shallow_json.hpp"
#include "core/whole_number.hpp"
#include "data/table/message.hpp"
#include "graph/compiled_step.hpp"
#include "nn/file/architecture.hpp"
#include "nn/layers/layer_factory.hpp"
#include "nn/layers/tensors.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using Json = nlohmann::json;

constexpr const char* own_prefix = "overtake.";
constexpr const char* architecture_key = "overtake.model";
constexpr const char* format_name = "overtake.model/2";
constexpr const char* earlier_format = "overtake.model/1";  // a Dropout's counter was a tensor
constexpr const char* sequential = "Sequential";
constexpr int deepest_nesting = 32;
constexpr std::size_t most_layers = 1000;  // a stranger's file must not exhaust what a step's plan can hold

Json layers_to_json(nn::Module& model, int depth, std::size_t& count) {
  Json layers = Json::array();
  const std::vector<nn::NamedModule> parts = model.children();
  count += parts.size();
  if (depth > deepest_nesting || count > most_layers) {
    throw UsageError(
        fmt::format("[save_model] a model file holds at most {} layers, in Sequentials nested at most {} "
                    "deep",
                    most_layers, deepest_nesting));
  }
  for (const nn::NamedModule& part : parts) {
    const nn::LayerSpec spec = part.module->spec();
    Json layer = {{"type", spec.type}};
    if (part.name != std::to_string(layers.size()) || !nn::is_known_layer(spec.type)) {
      throw UsageError(fmt::format("[save_model] layer {} ({}) cannot be stored in a model file", part.name, spec.type),
                       "Only models made of Overtake's own layers can, in Sequentials whose parts are numbered.");
    }
    if (spec.type == sequential) layer["layers"] = layers_to_json(*part.module, depth + 1, count);
    for (const auto& [name, value] : spec.attributes) layer[name] = value;
    layers.push_back(std::move(layer));
  }
  return layers;
}

// The buffers that are no part of the state: the counters of Dropout.
std::vector<nn::NamedValue> counters_of(nn::Module& model) {
  std::set<const Array*> state;
  for (const nn::NamedValue& entry : model.state_values()) state.insert(entry.value);
  std::vector<nn::NamedValue> result;
  for (const nn::NamedValue& buffer : model.buffers()) {
    if (!state.contains(buffer.value)) result.push_back(buffer);
  }
  return result;
}

// They stand beside the architecture, not among the tensors: PyTorch's strict loading refuses tensors that its own
// modules do not have.
Json counters_to_json(nn::Module& model) {
  Json counters = Json::object();
  for (const nn::NamedValue& buffer : counters_of(model)) {
    counters[buffer.name] = buffer.value->to_vector<std::int32_t>().front();
  }
  return counters;
}

// Reads one file; `context` begins every message.
class Reader {
 public:
  Reader(const TensorFile& file, std::string context) : file_(file), context_(std::move(context)) {}

  [[nodiscard]] LoadedModel read() {
    const auto found = file_.metadata.find(architecture_key);
    if (found == file_.metadata.end()) {
      fail("it holds no model of Overtake",
           "save_model() or `overtake train --save` writes such files; load_weights() reads the weights of others.");
    }
    if (is_deep_json(found->second)) fail(fmt::format("its architecture nests deeper than {} levels", deepest_json));
    const Json json = Json::parse(shallow_json(found->second), nullptr, false);
    const Json& format = member(json, "format");
    if (format != format_name && format != earlier_format) {
      fail(fmt::format("its architecture is damaged or of another version (expected {})", format_name));
    }
    for (const auto& [key, value] : json.items()) {
      if (key == "format" || key == "layers" || (key == "counters" && format == format_name)) continue;
      fail(fmt::format("its architecture has the unknown key {}", data::quote(key)),
           "This version of Overtake may be older than the file.");
    }
    LoadedModel loaded{layers(member(json, "layers"), "", 0), {}, 0, 0};
    if (is_of_rows_) loaded.inputs = inputs_, loaded.outputs = outputs_;
    fill(loaded.model, format == earlier_format);
    if (format == format_name) set_counters(loaded.model, member(json, "counters"));
    return loaded;
  }

 private:
  [[noreturn]] void fail(const std::string& what,
                         const std::string& hint = "Save the model again with the program that trained it.") const {
    throw DataError(fmt::format("{}: {}", context_, what), hint);
  }

  // null where there is none; a reference, for a value may be large.
  static const Json& member(const Json& object, const char* key) {
    static const Json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
  }

  nn::Sequential layers(const Json& list, const std::string& prefix, int depth) {
    if (!list.is_array()) fail("its architecture is damaged: no list of layers");
    count_ += list.size();
    if (depth > deepest_nesting || count_ > most_layers) {
      fail(fmt::format("it holds more than {} layers, or Sequentials nested more than {} deep", most_layers,
                       deepest_nesting));
    }
    nn::Sequential model;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string name = prefix + std::to_string(i);
      const nn::LayerSpec spec = layer_spec(list[i], name);
      if (spec.type == sequential) {
        model.add(layers(member(list[i], "layers"), name + ".", depth + 1));
        continue;
      }
      for (const nn::StoredTensor& tensor : nn::stored_tensors(spec)) require_extents(name + "." + tensor.name, tensor);
      check_width(spec, name);
      try {
        model.add(nn::make_layer(spec));
      } catch (const Error& error) {  // a layer that cannot be is the file's fault here
        fail(fmt::format("layer {}: {}", name, error.what()), error.hint());
      }
    }
    return model;
  }

  [[nodiscard]] nn::LayerSpec layer_spec(const Json& layer, const std::string& name) const {
    const Json& type = member(layer, "type");
    if (!type.is_string()) fail(fmt::format("its architecture is damaged: layer {} has no type", name));
    nn::LayerSpec spec{type.get<std::string>(), {}};
    for (const auto& [key, value] : layer.items()) {
      if (key == "type" || (key == "layers" && spec.type == sequential)) continue;
      if (!value.is_number()) fail(fmt::format("layer {}: {} is no number", name, data::quote(key)));
      spec.attributes.emplace_back(key, value.get<double>());
    }
    return spec;
  }

  // Before a layer is made: its sizes are only trusted when the file really holds that much weight.
  void require_extents(const std::string& name, const nn::StoredTensor& said) const {
    const HostArray* held = file_.find(name);
    if (held == nullptr) fail(fmt::format("the tensor \"{}\" is missing", name));
    const auto same = [](std::int64_t own, double other) { return static_cast<double>(own) == other; };
    if (std::equal(held->extents.begin(), held->extents.end(), said.extents.begin(), said.extents.end(), same)) return;
    fail(fmt::format("the tensor \"{}\" does not have the shape that the architecture says", name));
  }

  // After require_extents(): widths are whole numbers.
  void check_width(const nn::LayerSpec& spec, const std::string& name) {
    using Kind = nn::LayerWidth::Kind;
    const nn::LayerWidth layer = nn::width_of(spec);
    if (layer.kind == Kind::kept) return;
    is_of_rows_ = is_of_rows_ && layer.kind == Kind::features;
    if (layer.takes == 0 && layer.kind == width_.kind) return;
    // Behind axes that changed, the last one need not be the second.
    const bool is_same_axis = layer.kind == width_.kind && (is_of_rows_ || layer.kind == Kind::channels);
    if (is_same_axis && width_.gives != 0 && width_.gives != layer.takes) {
      fail(fmt::format("layer {} takes {} values, the layer before it gives {}", name, layer.takes, width_.gives));
    }
    width_ = layer;
    if (spec.type != "Linear") return;
    if (outputs_ == 0) inputs_ = static_cast<std::int64_t>(layer.takes);
    outputs_ = static_cast<std::int64_t>(layer.gives);
  }

  void fill(nn::Sequential& model, bool with_counters) {
    std::vector<nn::NamedValue> values = model.state_values();
    if (with_counters) {
      for (const nn::NamedValue& entry : counters_of(model)) values.push_back(entry);
    }
    nn::overwrite_with_all(values, file_, context_);
  }

  void set_counters(nn::Sequential& model, const Json& counters) const {
    if (!counters.is_object()) fail("its architecture is damaged: no counters");
    std::size_t used = 0;
    for (const nn::NamedValue& buffer : counters_of(model)) {
      const auto found = counters.find(buffer.name);
      if (found == counters.end()) continue;
      const auto count =
          whole_number(*found, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
      if (!count) fail(fmt::format("the counter {} is no 32-bit number", data::quote(buffer.name)));
      const auto value = static_cast<std::int32_t>(*count);
      graph::overwrite(*buffer.value, std::span(&value, 1));
      ++used;
    }
    if (used != counters.size()) fail("it has counters that belong to no layer");
  }

  const TensorFile& file_;
  std::string context_;
  std::size_t count_ = 0;  // of layers
  nn::LayerWidth width_;   // of the layer before
  bool is_of_rows_ = true;
  std::int64_t inputs_ = 0;
  std::int64_t outputs_ = 0;
};

}  // namespace

std::string nn::architecture(nn::Module& model) {
  std::size_t count = 0;
  Json layers = layers_to_json(model, 0, count);
  return Json{{"format", format_name}, {"layers", std::move(layers)}, {"counters", counters_to_json(model)}}.dump();
}

void nn::save_parts(const std::filesystem::path& path, nn::Module& model,
                    const std::map<std::string, std::string>& metadata) {
  TensorFile file;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(own_prefix)) {
      throw UsageError(fmt::format("[save_model] the metadata key \"{}\" is reserved", key),
                       fmt::format("Choose a key that does not start with \"{}\".", own_prefix));
    }
    file.metadata[key] = value;
  }
  file.metadata[architecture_key] = architecture(model);
  for (const nn::NamedValue& entry : model.state_values()) {
    file.tensors.push_back({entry.name, nn::to_host(*entry.value)});
  }
  write_safetensors(path, file);
}

void save_model(const std::filesystem::path& path, nn::Sequential& model,
                const std::map<std::string, std::string>& metadata) {
  nn::save_parts(path, model, metadata);
}

LoadedModel load_model(const std::filesystem::path& path) {
  const TensorFile file = nn::read_checked(path);
  LoadedModel loaded = Reader(file, path.string()).read();
  loaded.model.eval();
  for (const auto& [key, value] : file.metadata) {
    if (!key.starts_with(own_prefix)) loaded.metadata[key] = value;
  }
  return loaded;
}

void load_weights(const std::filesystem::path& path, nn::Module& model) {
  const TensorFile file = read_safetensors(path);
  std::vector<nn::NamedValue> values = model.named_parameters();
  for (const nn::NamedValue& buffer : model.buffers()) {
    if (file.find(buffer.name) != nullptr) values.push_back(buffer);
  }
  nn::overwrite_with_all(values, file, path.string());
}

}  // namespace overtake
