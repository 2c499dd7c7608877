// SPDX-License-Identifier: MIT
#include "c_api/nn/open_module.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "c_api/array_handle.hpp"
#include "c_api/call.hpp"
#include "overtake/error.hpp"

namespace overtake::c_api {
namespace {

/// Adds, replaces or removes (null) what `is_it` finds.
template <typename Element, typename Is>
void put(std::vector<Element>& all, const Is& is_it, Element element, bool removes) {
  const auto found = std::find_if(all.begin(), all.end(), is_it);
  if (removes) {
    if (found != all.end()) all.erase(found);
  } else if (found != all.end()) {
    *found = std::move(element);
  } else {
    all.push_back(std::move(element));
  }
}

auto called(const std::string& name) {
  return [&name](const OpenModule::Value& value) { return value->name == name; };
}

void put_value(std::vector<OpenModule::Value>& all, const std::string& name, OpenModule::Value value) {
  const bool removes = value == nullptr;
  if (!removes && value->name.empty()) value->name = name;
  if (!removes && value->name != name) {
    throw UsageError(fmt::format("[Module] '{}' is called '{}' in another module", name, value->name),
                     "Modules that share a parameter give it one name.");
  }
  put(all, called(name), std::move(value), removes);
}

}  // namespace

Array OpenModule::forward(const Array& input) {
  if (function_ == nullptr) return compute(input);
  Array given = input;
  overtake_array* output = nullptr;
  const std::int32_t failed = function_(context_, handle_of(&given), &output);
  Array result = take_over(output);
  if (failed != 0) throw CallerFailed();
  if (!result.defined()) throw UsageError("[Module] forward() of the caller gave no array");
  return result;
}

Array OpenModule::compute(const Array& input) {
  if (layer_ != nullptr) {
    if (layer_->is_training() != is_training()) layer_->train(is_training());  // it is no part that train() reaches
    return layer_->forward(input);
  }
  if (parts_.empty() && function_ != nullptr) {
    throw UsageError("[Module] the module has neither a layer nor parts", "Write a forward() of its own.");
  }
  Array value = input;
  for (const auto& [name, part] : parts_) value = (*part)(value);
  return value;
}

void OpenModule::check_name(const std::string& name, const std::vector<Value>& own) {
  if (name.empty() || name.find('.') != std::string::npos) {
    throw UsageError(fmt::format("[Module] '{}' cannot be a name", name), "Names are not empty and hold no point.");
  }
  const auto is_own = std::any_of(own.begin(), own.end(), called(name));
  const std::vector<nn::Parameter*> parameters = own_parameters(), buffers = own_buffers();
  const auto is_name = [&](const nn::Parameter* each) { return each->name == name; };
  const bool is_taken = std::any_of(parameters.begin(), parameters.end(), is_name) ||
                        std::any_of(buffers.begin(), buffers.end(), is_name);
  if (is_taken && !is_own) {
    throw UsageError(fmt::format("[Module] there is a value called '{}' already", name), "Choose another name.");
  }
}

void OpenModule::set_child(const std::string& name, Part part) {
  check_name(name, {});
  const bool removes = part == nullptr;
  const auto is_it = [&](const auto& entry) { return entry.first == name; };
  put(parts_, is_it, std::pair(name, std::move(part)), removes);
}

void OpenModule::set_parameter(const std::string& name, Value parameter) {
  check_name(name, parameters_);
  put_value(parameters_, name, std::move(parameter));
}

void OpenModule::set_buffer(const std::string& name, Value buffer, bool persistent) {
  check_name(name, buffers_);
  if (buffer != nullptr) buffer->persistent = persistent;
  put_value(buffers_, name, std::move(buffer));
}

OpenModule::Value OpenModule::value(const std::string& name) {
  for (const std::vector<Value>* all : {&parameters_, &buffers_}) {
    const auto found = std::find_if(all->begin(), all->end(), called(name));
    if (found != all->end()) return *found;
  }
  if (layer_ != nullptr) {
    for (const std::vector<nn::Parameter*>& all : {layer_->own_parameters(), layer_->own_buffers()}) {
      for (nn::Parameter* each : all) {
        if (each->name == name) return {layer_, each};
      }
    }
  }
  throw UsageError(fmt::format("[Module] no parameter and no buffer is called '{}'", name));
}

nn::LayerSpec OpenModule::spec() const {
  const bool is_plain = function_ == nullptr && parameters_.empty() && buffers_.empty();
  if (is_plain && layer_ == nullptr) return {"Sequential", {}};
  return is_plain && parts_.empty() ? layer_->spec() : nn::LayerSpec{"Module", {}};
}

std::string OpenModule::to_string() const { return layer_ != nullptr ? layer_->to_string() : "Module()"; }

std::vector<nn::Parameter*> OpenModule::own_parameters() {
  std::vector<nn::Parameter*> all;
  if (layer_ != nullptr) all = layer_->own_parameters();
  for (const Value& each : parameters_) all.push_back(each.get());
  return all;
}

std::vector<nn::Parameter*> OpenModule::own_buffers() {
  std::vector<nn::Parameter*> all;
  if (layer_ != nullptr) all = layer_->own_buffers();
  for (const Value& each : buffers_) all.push_back(each.get());
  return all;
}

std::vector<nn::NamedModule> OpenModule::children() {
  std::vector<nn::NamedModule> all;
  for (const auto& [name, part] : parts_) all.push_back({name, part.get()});
  return all;
}

}  // namespace overtake::c_api
