// SPDX-License-Identifier: MIT
// Parameters and modules for other languages.
#include <fmt/format.h>

#include <variant>

#include "c_api/array_handle.hpp"
#include "c_api/handles.hpp"
#include "c_api/nn/handles.hpp"
#include "graph/compiled_step.hpp"
#include "nn/layers/layer_watch.hpp"
#include "nn/layers/state_match.hpp"
#include "overtake/nn/clip_grad.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/summary.hpp"
#include "overtake/report.hpp"

namespace api = overtake::c_api;
namespace nn = overtake::nn;
using overtake::Array;
using overtake::DataError;
using overtake::UsageError;

namespace {

void hand_out_value(std::shared_ptr<nn::Parameter> value, overtake_parameter** result) {
  auto handle = std::make_unique<overtake_parameter>();
  handle->value = std::move(value);
  *result = handle.release();
}

double number_of(const std::string& name, const overtake::ParameterValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  throw UsageError(
      fmt::format("{}: {} is not accepted; expected a number, true or false", name, overtake::to_text(value)));
}

/// make_layer() of a caller's words, whose mistakes are wrong arguments rather than damaged files.
std::unique_ptr<nn::Module> layer_of(const std::string& type, const overtake::Parameters& attributes) {
  nn::LayerSpec spec{type, {}};
  for (const auto& [name, value] : attributes) spec.attributes.emplace_back(name, number_of(name, value));
  try {
    return nn::make_layer(spec);
  } catch (const DataError& error) {
    throw UsageError(error.what());
  }
}

overtake::report::Json names_of(const std::vector<nn::Parameter*>& values) {
  overtake::report::Json names = overtake::report::Json::array();
  for (const nn::Parameter* each : values) names.push(each->name);
  return names;
}

}  // namespace

overtake_status overtake_parameter_new(const overtake_array* value, int32_t requires_grad,
                                       overtake_parameter** parameter) {
  return api::guarded([&] {
    overtake_parameter*& result = api::given(parameter, "parameter");
    auto made = std::make_shared<nn::Parameter>();
    made->value = overtake::graph::copy_of(api::array_of(value, "value").detach());
    if (requires_grad != 0) made->value.requires_grad();
    hand_out_value(std::move(made), &result);
  });
}

overtake_status overtake_parameter_array(const overtake_parameter* parameter, overtake_array** array) {
  return api::guarded(
      [&] { api::given(array, "array") = api::handle_of(&api::given(parameter, "parameter").value->value); });
}

overtake_status overtake_parameter_assign(overtake_parameter* parameter, const overtake_array* value) {
  return api::guarded([&] {
    nn::Parameter& held = *api::given(parameter, "parameter").value;
    const Array& next = api::array_of(value, "value");
    if (next.shape() != held.value.shape()) {
      throw UsageError(fmt::format("[Module] '{}' has the shape {}, the value {}", held.name,
                                   held.value.shape().to_string(), next.shape().to_string()),
                       "A parameter or buffer keeps its shape; make a new one for another.");
    }
    nn::replace_value(held.value, next);
  });
}

void overtake_parameter_free(overtake_parameter* parameter) { std::unique_ptr<overtake_parameter>{parameter}.reset(); }

overtake_status overtake_module_new(overtake_module** module) {
  return api::guarded([&] {
    overtake_module*& result = api::given(module, "module");
    auto handle = std::make_unique<overtake_module>();
    handle->module = std::make_shared<api::OpenModule>();
    result = handle.release();
  });
}

overtake_status overtake_module_set_layer(overtake_module* module, const char* type, const char* attributes) {
  return api::guarded([&] {
    api::module_of(module).set_layer(
        layer_of(api::text_of(type, "type"), api::parse_parameters(attributes, "attributes")));
  });
}

overtake_status overtake_module_set_forward(overtake_module* module, overtake_forward forward, void* context) {
  return api::guarded([&] { api::module_of(module).set_forward(forward, context); });
}

overtake_status overtake_module_set_child(overtake_module* module, const char* name, const overtake_module* child) {
  return api::guarded([&] {
    api::module_of(module).set_child(api::text_of(name, "name"), child != nullptr ? child->module : nullptr);
  });
}

overtake_status overtake_module_set_parameter(overtake_module* module, const char* name,
                                              const overtake_parameter* parameter) {
  return api::guarded([&] {
    api::module_of(module).set_parameter(api::text_of(name, "name"), parameter != nullptr ? parameter->value : nullptr);
  });
}

overtake_status overtake_module_set_buffer(overtake_module* module, const char* name, const overtake_parameter* buffer,
                                           int32_t persistent) {
  return api::guarded([&] {
    api::module_of(module).set_buffer(api::text_of(name, "name"), buffer != nullptr ? buffer->value : nullptr,
                                      persistent != 0);
  });
}

overtake_status overtake_module_forward(const overtake_module* module, const overtake_array* input,
                                        overtake_array** output) {
  return api::guarded([&] {
    overtake_array*& result = api::given(output, "output");
    api::hand_out(api::module_of(module).forward(api::array_of(input, "input")), &result);
  });
}

overtake_status overtake_module_layer_forward(const overtake_module* module, const overtake_array* input,
                                              overtake_array** output) {
  return api::guarded([&] {
    overtake_array*& result = api::given(output, "output");
    api::OpenModule& layer = api::module_of(module);
    const Array& given = api::array_of(input, "input");
    Array value = layer.compute(given);
    nn::LayerWatch::tell(layer, layer.computed(), given, value);
    api::hand_out(std::move(value), &result);
  });
}

overtake_status overtake_module_predict(const overtake_module* module, const overtake_array* input, int64_t batch,
                                        overtake_array** output) {
  return api::computing([&] {
    overtake_array*& result = api::given(output, "output");
    api::hand_out(nn::predict(api::module_of(module), api::array_of(input, "input"), batch), &result);
  });
}

overtake_status overtake_module_text(const overtake_module* module, overtake_text** text) {
  return api::guarded([&] { api::hand_out(api::module_of(module).to_string(), &api::given(text, "text")); });
}

overtake_status overtake_module_summary(overtake_module* module, const int64_t* extents, int32_t rank,
                                        overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    const auto given = api::listed(extents, rank, "extents");
    const overtake::Shape shape(std::vector<std::int64_t>(given.begin(), given.end()));
    const nn::Summary summary = nn::summarize(api::module_of(module), shape);
    using overtake::report::Json;
    Json layers = Json::array();
    for (const nn::LayerSummary& each : summary.layers) {
      Json row = Json::object(), output = Json::array();
      for (const std::int64_t extent : each.output.to_vector()) output.push(extent);
      row.set("name", each.name).set("type", each.type).set("output_shape", std::move(output));
      row.set("parameters", each.parameters).set("flops", each.flops).set("output_bytes", each.output_bytes);
      layers.push(std::move(row));
    }
    Json all = Json::object();
    all.set("layers", std::move(layers)).set("parameters", summary.parameters).set("device", summary.device);
    all.set("convolutions", summary.convolutions).set("text", nn::summary_text(summary));
    api::hand_out(all.dump(), &result);
  });
}

overtake_status overtake_module_names(const overtake_module* module, overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    api::OpenModule& named = api::module_of(module);
    overtake::report::Json persistent = overtake::report::Json::array();
    for (const nn::Parameter* each : named.own_buffers()) persistent.push(each->persistent);
    overtake::report::Json names = overtake::report::Json::object();
    names.set("parameters", names_of(named.own_parameters())).set("buffers", names_of(named.own_buffers()));
    api::hand_out(names.set("persistent", std::move(persistent)).dump(-1), &result);
  });
}

overtake_status overtake_module_parameter(const overtake_module* module, const char* name,
                                          overtake_parameter** parameter) {
  return api::guarded([&] {
    overtake_parameter*& result = api::given(parameter, "parameter");
    hand_out_value(api::module_of(module).value(api::text_of(name, "name")), &result);
  });
}

overtake_status overtake_module_train(overtake_module* module, int32_t on) {
  return api::guarded([&] { api::module_of(module).train(on != 0); });
}

overtake_status overtake_module_training(const overtake_module* module, int32_t* on) {
  return api::guarded([&] { api::given(on, "on") = api::module_of(module).is_training() ? 1 : 0; });
}

overtake_status overtake_module_to(overtake_module* module, const char* device) {
  return api::guarded([&] { api::module_of(module).to(overtake::Device(api::text_of(device, "device"))); });
}

overtake_status overtake_module_initialize(overtake_module* module, uint64_t seed) {
  return api::guarded([&] { api::module_of(module).initialize(seed); });
}

void overtake_module_free(overtake_module* module) { std::unique_ptr<overtake_module>{module}.reset(); }

overtake_status overtake_manual_seed(uint64_t seed) {
  return api::guarded([&] { nn::manual_seed(seed); });
}

overtake_status overtake_clip_grad_norm(const overtake_parameter* const* parameters, int64_t count, double max_norm,
                                        double norm_type, overtake_array** norm) {
  return api::guarded([&] {
    overtake_array*& result = api::given(norm, "norm");
    const auto values = api::values_of(parameters, count);
    api::hand_out(nn::clip_grad_norm(api::pointers_to(values), max_norm, norm_type), &result);
  });
}

overtake_status overtake_clip_grad_value(const overtake_parameter* const* parameters, int64_t count,
                                         double clip_value) {
  return api::guarded([&] {
    const auto values = api::values_of(parameters, count);
    nn::clip_grad_value(api::pointers_to(values), clip_value);
  });
}
