// SPDX-License-Identifier: MIT
#include "overtake/model_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "nn/layer_factory.hpp"
#include "nn/tensors.hpp"
#include "overtake/error.hpp"
#include "overtake/safetensors.hpp"

namespace overtake {
namespace {

using Json = nlohmann::json;

constexpr const char* own_prefix = "overtake.";
constexpr const char* architecture_key = "overtake.model";
constexpr const char* format_name = "overtake.model/1";
constexpr int deepest_nesting = 32;

Json layers_to_json(const nn::Sequential& model) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < model.size(); ++i) {
    const nn::LayerSpec spec = model[i].spec();
    Json layer = {{"type", spec.type}};
    if (const auto* nested = dynamic_cast<const nn::Sequential*>(&model[i])) {
      layer["layers"] = layers_to_json(*nested);
    } else if (!nn::is_layer_type(spec.type)) {
      throw UsageError(fmt::format("[save_model] layer {} ({}) cannot be stored in a model file", i, spec.type),
                       "Only models made of Overtake's own layers can.");
    }
    for (const auto& [name, value] : spec.attributes) layer[name] = value;
    layers.push_back(std::move(layer));
  }
  return layers;
}

// Reads one file; `context` begins every message.
class Reader {
 public:
  Reader(const TensorFile& file, std::string context) : file_(file), context_(std::move(context)) {}

  [[nodiscard]] nn::Sequential read() {
    const auto found = file_.metadata.find(architecture_key);
    if (found == file_.metadata.end()) {
      fail("it holds no model of Overtake", "save_model() or `overtake train --save` writes such files.");
    }
    const Json json = Json::parse(found->second, nullptr, false);
    if (!json.is_object() || json.value("format", Json()) != format_name) {
      fail(fmt::format("its architecture is damaged or of another version (expected {})", format_name));
    }
    nn::Sequential model = layers(json.value("layers", Json()), "", 0);
    fill(model);
    return model;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& hint = {}) const {
    throw DataError(fmt::format("{}: {}", context_, what), hint);
  }

  nn::Sequential layers(const Json& list, const std::string& prefix, int depth) {
    if (!list.is_array() || depth > deepest_nesting) fail("its architecture is damaged: no list of layers");
    nn::Sequential model;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string name = prefix + std::to_string(i);
      const nn::LayerSpec spec = layer_spec(list[i], name);
      if (spec.type == "Sequential") {
        model.add(layers(list[i].value("layers", Json()), name + ".", depth + 1));
        continue;
      }
      if (spec.type == "Linear") check_linear(spec, name);
      try {
        model.add(nn::make_layer(spec));
      } catch (const DataError& error) {
        fail(fmt::format("layer {}: {}", name, error.what()), error.hint());
      }
    }
    return model;
  }

  [[nodiscard]] nn::LayerSpec layer_spec(const Json& layer, const std::string& name) const {
    if (!layer.is_object() || !layer.value("type", Json()).is_string()) {
      fail(fmt::format("its architecture is damaged: layer {} has no type", name));
    }
    nn::LayerSpec spec{layer["type"].get<std::string>(), {}};
    for (const auto& [key, value] : layer.items()) {
      if (value.is_number()) spec.attributes.emplace_back(key, value.get<double>());
    }
    return spec;
  }

  // Before a Linear is made: the sizes are only trusted when the file really holds that much weight.
  void check_linear(const nn::LayerSpec& spec, const std::string& name) const {
    const HostArray* weight = file_.find(name + ".weight");
    if (weight == nullptr) fail(fmt::format("the tensor \"{}.weight\" is missing", name));
    const auto is = [&](const char* key, std::size_t axis) {
      for (const auto& [attribute, value] : spec.attributes) {
        if (attribute == key) return static_cast<double>(weight->extents[axis]) == value;
      }
      return false;
    };
    if (weight->extents.size() != 2 || !is("out_features", 0) || !is("in_features", 1)) {
      fail(fmt::format("the tensor \"{}.weight\" does not have the shape that the architecture says", name));
    }
  }

  void fill(nn::Sequential& model) {
    std::set<std::string> used;
    const auto take = [&](const nn::NamedValue& entry) {
      nn::overwrite_with(*entry.value, nn::matching_tensor(file_, entry.name, *entry.value, context_));
      used.insert(entry.name);
    };
    for (const nn::NamedValue& entry : model.named_parameters()) take(entry);
    for (const nn::NamedValue& entry : model.buffers()) take(entry);
    for (const auto& tensor : file_.tensors) {
      if (!used.contains(tensor.name)) fail(fmt::format("the tensor \"{}\" belongs to no layer", tensor.name));
    }
  }

  const TensorFile& file_;
  std::string context_;
};

}  // namespace

void save_model(const std::filesystem::path& path, nn::Sequential& model,
                const std::map<std::string, std::string>& metadata) {
  TensorFile file;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(own_prefix)) {
      throw UsageError(fmt::format("[save_model] the metadata key \"{}\" is reserved", key),
                       fmt::format("Choose a key that does not start with \"{}\".", own_prefix));
    }
    file.metadata[key] = value;
  }
  file.metadata[architecture_key] = Json{{"format", format_name}, {"layers", layers_to_json(model)}}.dump();
  for (const nn::NamedValue& entry : model.named_parameters()) {
    file.tensors.push_back({entry.name, nn::to_host(*entry.value)});
  }
  for (const nn::NamedValue& entry : model.buffers()) file.tensors.push_back({entry.name, nn::to_host(*entry.value)});
  write_safetensors(path, file);
}

LoadedModel load_model(const std::filesystem::path& path) {
  const TensorFile file = nn::read_checked(path);
  LoadedModel loaded{Reader(file, path.string()).read(), {}};
  loaded.model.eval();
  for (const auto& [key, value] : file.metadata) {
    if (!key.starts_with(own_prefix)) loaded.metadata[key] = value;
  }
  return loaded;
}

}  // namespace overtake
