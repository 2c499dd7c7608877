// SPDX-License-Identifier: MIT
// Named arrays and their files for other languages.
#include <fmt/format.h>

#include <map>
#include <variant>

#include "c_api/array_handle.hpp"
#include "c_api/handles.hpp"
#include "c_api/nn/handles.hpp"
#include "graph/compiled_step.hpp"
#include "nn/file/architecture.hpp"
#include "overtake/nn/model_file.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/report.hpp"

namespace api = overtake::c_api;
namespace nn = overtake::nn;
using overtake::Array;
using overtake::UsageError;
using overtake::report::Json;

namespace {

constexpr const char* rate_name = "lr";

void hand_out_state(nn::StateDict arrays, overtake_state** result) {
  auto handle = std::make_unique<overtake_state>();
  handle->arrays = std::move(arrays);
  *result = handle.release();
}

void hand_out_keys(const nn::IncompatibleKeys& keys, overtake_text** json) {
  if (json == nullptr) return;
  Json object = Json::object();
  object.set("missing_keys", Json::list(keys.missing_keys)).set("unexpected_keys", Json::list(keys.unexpected_keys));
  api::hand_out(object.dump(-1), json);
}

std::map<std::string, std::string> metadata_of(const char* json) {
  std::map<std::string, std::string> metadata;
  for (const auto& [name, value] : api::parse_parameters(json, "metadata")) {
    const auto* text = std::get_if<std::string>(&value);
    metadata[name] = text != nullptr ? *text : overtake::to_text(value);
  }
  return metadata;
}

/// The array of a state that stands for `entry`. Throws UsageError where there is none of its shape.
const Array& found_for(const nn::NamedValue& entry, const nn::StateDict& state) {
  const Array* found = nn::find(state, entry.name);
  if (found == nullptr) {
    throw UsageError(fmt::format("[Optimizer] the state lacks '{}'", entry.name),
                     "Load the state of an optimiser of the same kind, settings and parameters.");
  }
  if (found->shape() == entry.value->shape()) return *found;
  throw UsageError(fmt::format("[Optimizer] '{}' has the shape {}, the state's {}", entry.name,
                               entry.value->shape().to_string(), found->shape().to_string()),
                   "Load the state of an optimiser of the same parameters.");
}

}  // namespace

overtake_status overtake_state_new(overtake_state** state) {
  return api::guarded([&] { hand_out_state({}, &api::given(state, "state")); });
}

overtake_status overtake_state_add(overtake_state* state, const char* name, const overtake_array* array) {
  return api::guarded([&] {
    api::given(state, "state").arrays.emplace_back(api::text_of(name, "name"), api::array_of(array, "array"));
  });
}

overtake_status overtake_state_names(const overtake_state* state, overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    Json names = Json::array();
    for (const auto& [name, array] : api::given(state, "state").arrays) names.push(name);
    api::hand_out(names.dump(-1), &result);
  });
}

overtake_status overtake_state_array(const overtake_state* state, int64_t index, overtake_array** array) {
  return api::guarded([&] {
    const nn::StateDict& arrays = api::given(state, "state").arrays;
    if (index < 0 || index >= static_cast<int64_t>(arrays.size())) {
      throw UsageError(fmt::format("array {} of a state of {}", index, arrays.size()));
    }
    api::hand_out(arrays[static_cast<std::size_t>(index)].second, &api::given(array, "array"));
  });
}

overtake_status overtake_module_state(const overtake_module* module, overtake_state** state) {
  return api::guarded([&] { hand_out_state(api::module_of(module).state_dict(), &api::given(state, "state")); });
}

overtake_status overtake_module_load_state(overtake_module* module, const overtake_state* state, int32_t strict,
                                           overtake_text** keys) {
  return api::guarded([&] {
    hand_out_keys(api::module_of(module).load_state_dict(api::given(state, "state").arrays, strict != 0), keys);
  });
}

overtake_status overtake_module_load_file(overtake_module* module, const char* path, int32_t strict,
                                          overtake_text** keys) {
  return api::guarded([&] {
    hand_out_keys(overtake::load_state(api::text_of(path, "path"), api::module_of(module), strict != 0), keys);
  });
}

overtake_status overtake_state_read(const char* path, overtake_state** state) {
  return api::guarded(
      [&] { hand_out_state(overtake::read_state_dict(api::text_of(path, "path")), &api::given(state, "state")); });
}

overtake_status overtake_state_write(const overtake_state* state, const char* path, const char* metadata) {
  return api::guarded([&] {
    overtake::write_state_dict(api::text_of(path, "path"), api::given(state, "state").arrays, metadata_of(metadata));
  });
}

overtake_status overtake_module_save(const overtake_module* module, const char* path, const char* metadata) {
  return api::guarded([&] {
    api::OpenModule& saved = api::module_of(module);
    if (saved.spec().type != "Sequential") {
      throw UsageError("[save_model] the module is no Sequential", "Only Sequentials of layers become model files.");
    }
    nn::save_parts(api::text_of(path, "path"), saved, metadata_of(metadata));
  });
}

overtake_status overtake_module_read(const char* path, overtake_text** architecture, overtake_state** values) {
  return api::guarded([&] {
    overtake_text*& layers = api::given(architecture, "architecture");
    overtake_state*& held = api::given(values, "values");
    overtake::LoadedModel loaded = overtake::load_model(api::text_of(path, "path"));
    const std::string text = nn::architecture(loaded.model);
    nn::StateDict arrays = loaded.model.state_dict();
    for (const nn::NamedValue& buffer : loaded.model.buffers()) {
      if (nn::find(arrays, buffer.name) == nullptr) arrays.emplace_back(buffer.name, *buffer.value);
    }
    hand_out_state(std::move(arrays), &held);
    api::hand_out(text, &layers);
  });
}

overtake_status overtake_optimizer_state(const overtake_optimizer* optimizer, overtake_state** state) {
  return api::guarded([&] {
    overtake_state*& result = api::given(state, "state");
    overtake::optim::Optimizer& held = api::optimizer_of(optimizer, "state_dict()");
    nn::StateDict arrays;
    arrays.emplace_back(rate_name, Array::from({held.learning_rate()}, overtake::Shape{1}));
    for (const nn::NamedValue& entry : held.state()) {
      arrays.emplace_back(entry.name, overtake::graph::copy_of(*entry.value));
    }
    hand_out_state(std::move(arrays), &result);
  });
}

overtake_status overtake_optimizer_load_state(overtake_optimizer* optimizer, const overtake_state* state) {
  return api::guarded([&] {
    overtake::optim::Optimizer& held = api::optimizer_of(optimizer, "load_state_dict()");
    const nn::StateDict& arrays = api::given(state, "state").arrays;
    const std::vector<nn::NamedValue> own = held.state();
    if (arrays.size() != own.size() + 1) {
      throw UsageError(fmt::format("[Optimizer] the state holds {} arrays, expected {}", arrays.size(), own.size() + 1),
                       "Load the state of an optimiser of the same kind, settings and parameters.");
    }
    Array rate;
    const Array& given_rate = found_for({rate_name, &(rate = Array::from({0.0F}, overtake::Shape{1}))}, arrays);
    for (const nn::NamedValue& entry : own) (void)found_for(entry, arrays);
    held.set_learning_rate(given_rate.item<double>());
    for (const nn::NamedValue& entry : own) {
      *entry.value = overtake::graph::copy_of(found_for(entry, arrays).detach().to(entry.value->device()));
    }
  });
}

void overtake_state_free(overtake_state* state) { std::unique_ptr<overtake_state>{state}.reset(); }
