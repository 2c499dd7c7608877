// SPDX-License-Identifier: MIT
#include "overtake/nn/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/compiled_step.hpp"
#include "graph/node.hpp"
#include "nn/layers/layer_watch.hpp"
#include "nn/training/mode_guard.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

// Depth first: a module, then its parts. A module that occurs twice is visited where it occurs first: as in PyTorch,
// its weights are one entry.
template <typename Visit>
void walk(Module& module, const std::string& prefix, const Visit& visit, std::set<const Module*>& seen) {
  if (!seen.insert(&module).second) return;
  visit(module, prefix);
  for (const NamedModule& child : module.children()) walk(*child.module, join(prefix, child.name), visit, seen);
}

template <typename Visit>
void walk(Module& module, const std::string& prefix, const Visit& visit) {
  std::set<const Module*> seen;
  walk(module, prefix, visit, seen);
}

std::string attribute_text(const std::string& name, double value) {
  const bool is_flag = name == "bias" || name == "affine" || name == "track_running_stats";
  if (is_flag) return fmt::format("{}={}", name, value != 0 ? "True" : "False");
  return fmt::format("{}={:g}", name, value);
}

}  // namespace

Array Module::operator()(const Array& input) {
  const std::int64_t before = LayerWatch::count();
  Array output = forward(input);
  if (LayerWatch::count() == before) LayerWatch::tell(*this, *this, input, output);
  return output;
}

std::vector<Parameter*> Module::parameters() {
  std::vector<Parameter*> result;
  std::set<const Parameter*> seen;
  walk(*this, "", [&](Module& module, const std::string&) {
    for (Parameter* parameter : module.own_parameters()) {
      if (seen.insert(parameter).second) result.push_back(parameter);
    }
  });
  return result;
}

std::vector<NamedValue> Module::named_parameters() {
  std::vector<NamedValue> result;
  std::set<const Parameter*> seen;
  walk(*this, "", [&](Module& module, const std::string& prefix) {
    for (Parameter* parameter : module.own_parameters()) {
      if (seen.insert(parameter).second) result.push_back({join(prefix, parameter->name), &parameter->value});
    }
  });
  return result;
}

std::vector<NamedValue> Module::buffers() {
  std::vector<NamedValue> result;
  walk(*this, "", [&](Module& module, const std::string& prefix) {
    for (Parameter* buffer : module.own_buffers()) result.push_back({join(prefix, buffer->name), &buffer->value});
  });
  return result;
}

std::vector<NamedValue> Module::state_values() {
  std::vector<NamedValue> result;
  walk(*this, "", [&](Module& module, const std::string& prefix) {
    for (Parameter* parameter : module.own_parameters()) {
      result.push_back({join(prefix, parameter->name), &parameter->value});
    }
    for (Parameter* buffer : module.own_buffers()) {
      if (buffer->persistent) result.push_back({join(prefix, buffer->name), &buffer->value});
    }
  });
  return result;
}

void Module::zero_grad() {
  for (const Parameter* parameter : parameters()) {
    if (parameter->value.requires_grad()) parameter->value.set_grad(Array());
  }
}

std::int64_t Module::parameter_count() {
  std::int64_t count = 0;
  for (const Parameter* parameter : parameters()) count += parameter->value.size();
  return count;
}

void Module::to(const Device& device) {
  for (Parameter* parameter : parameters()) {
    if (parameter->value.device() == device) continue;
    const bool frozen = parameter->value.node()->frozen;
    parameter->value = parameter->value.to(device);
    parameter->value.requires_grad(!frozen);
  }
  for (const NamedValue& buffer : buffers()) *buffer.value = buffer.value->to(device);
}

Device Module::device() {
  for (const Parameter* parameter : parameters()) return parameter->value.device();
  for (const NamedValue& buffer : buffers()) return buffer.value->device();
  return Device();
}

void Module::train(bool on) {
  walk(*this, "", [on](Module& module, const std::string&) { module.training_ = on; });
}

void Module::initialize(std::uint64_t seed) {
  Streams streams{.seed = seed};
  walk(*this, "", [&](Module& module, const std::string&) { module.draw(streams); });
}

LayerSpec Module::spec() const { return {"Module", {}}; }

std::string Module::to_string() const {
  const LayerSpec description = spec();
  std::string attributes;
  for (const auto& [name, value] : description.attributes) {
    attributes += (attributes.empty() ? "" : ", ") + attribute_text(name, value);
  }
  return fmt::format("{}({})", description.type, attributes);
}

void Module::assign_buffer(Parameter& buffer, const Array& value) {
  // Detached: gradients of this step must not flow into the steps before, nor keep their graphs.
  buffer.value = value.detach();
}

Module::Streams& Module::default_streams() noexcept {
  thread_local Streams streams;
  return streams;
}

void manual_seed(std::uint64_t seed) noexcept { Module::default_streams() = Module::Streams{.seed = seed}; }

namespace {

Array predict_in_batches(Module& module, const Array& input, std::int64_t batch) {
  const std::int64_t rows = input.shape()[0];
  std::vector<float> values;
  std::vector<std::int64_t> extents;
  for (std::int64_t begin = 0; begin < rows; begin += batch) {
    // Computed on their own, so that all batches share one plan: each plan that is kept has memory of its own.
    Array batch_rows = slice(input, begin, std::min(rows, begin + batch));
    batch_rows.eval();
    const Array part = module.forward(batch_rows);
    const std::vector<float> part_values = part.to_vector<float>();
    values.insert(values.end(), part_values.begin(), part_values.end());
    extents = part.shape().to_vector();
  }
  extents[0] = rows;
  return Array::from(values, Shape(std::move(extents)), input.device());
}

}  // namespace

Array predict(Module& module, const Array& input, std::int64_t batch) {
  if (!input.defined() || input.shape().rank() < 2 || input.shape()[0] == 0) {
    throw UsageError(fmt::format("[predict] needs at least one row of inputs (rows, features), got {}",
                                 input.defined() ? input.shape().to_string() : "an undefined array"));
  }
  if (batch < 0) throw UsageError(fmt::format("[predict] batch {} is negative", batch), "0 takes all rows at once.");
  const ModeGuard mode(module, false);
  const Array local = input.to(module.device());
  if (batch > 0 && batch < local.shape()[0]) return predict_in_batches(module, local, batch);
  Array output = module.forward(local);
  output.eval();
  return output;
}

}  // namespace overtake::nn
