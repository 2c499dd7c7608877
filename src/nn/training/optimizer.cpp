// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "graph/compiled_step.hpp"
#include "graph/node.hpp"
#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim/optimizer.hpp"

namespace overtake::optim {
namespace {

float checked_rate(double rate) {
  nn::require_float("optim", "the learning rate", rate);
  return static_cast<float>(rate);
}

Array zero_leaf(const Shape& shape, const Device& device) { return graph::copy_of(zeros(shape, device)); }

}  // namespace

Optimizer::Optimizer(std::vector<nn::Parameter*> parameters, double learning_rate)
    : parameters_(std::move(parameters)), learning_rate_value_(checked_rate(learning_rate)) {
  if (parameters_.empty()) {
    throw UsageError("[optim] got no parameters", "Pass model.parameters() of a model that has layers with weights.");
  }
  for (const nn::Parameter* parameter : parameters_) {
    if (parameter == nullptr || !parameter->value.defined()) throw UsageError("[optim] got an undefined parameter");
  }
}

std::vector<Array>& Optimizer::add_state(const std::string& name) {
  states_.push_back(std::make_unique<ParameterState>(ParameterState{name, std::vector<Array>(parameters_.size())}));
  return states_.back()->arrays;
}

Array& Optimizer::add_scalar(const std::string& name) {
  scalars_.push_back(std::make_unique<ScalarState>(ScalarState{name, Array()}));
  return scalars_.back()->value;
}

void Optimizer::prepare() {
  const Device device = parameters_.front()->value.device();
  if (learning_rate_.defined() && learning_rate_.device() == device) return;
  learning_rate_ = Array::from(std::array<float, 1>{learning_rate_value_}, Shape{}, device);
  for (const auto& state : states_) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      Array& array = state->arrays[i];
      array = array.defined() ? array.to(device) : zero_leaf(parameters_[i]->value.shape(), device);
    }
  }
  for (const auto& scalar : scalars_) {
    scalar->value = scalar->value.defined() ? scalar->value.to(device) : zero_leaf(Shape{}, device);
  }
}

// A parameter whose array was replaced would never change again, and nobody would know why.
void Optimizer::require_trainable(const nn::Parameter& parameter) {
  const graph::Node& node = *parameter.value.node();
  if (node.buffer == nullptr || !node.gradient.expired() || node.frozen) return;
  throw UsageError(
      fmt::format(
          "[optim] the parameter '{}' holds an array that requires no gradient: it was replaced, or made without",
          parameter.name),
      "Call requires_grad() on the new array, or requires_grad(false) to say that it stays as it is.");
}

void Optimizer::step() {
  prepare();
  begin_step();
  std::vector<Array> changed;
  std::vector<Array> before;
  std::vector<nn::Parameter*> updated;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    nn::Parameter& parameter = *parameters_[i];
    require_trainable(parameter);
    const Array gradient = parameter.value.grad();
    if (!gradient.defined()) continue;
    before.push_back(parameter.value);
    parameter.value = update(i, parameter.value, gradient);
    changed.push_back(parameter.value);
    updated.push_back(&parameter);
  }
  if (graph::is_tracing()) return;
  const std::vector<nn::NamedValue> states = state();
  for (const nn::NamedValue& entry : states) changed.push_back(*entry.value);
  overtake::eval(changed);
  for (std::size_t i = 0; i < updated.size(); ++i) {
    // The gradient moves to the new leaf, to be added to until zero_grad(). The old leaf must let go of it: the
    // gradient's graph leads back to that leaf, and neither would ever be freed.
    const Array gradient = before[i].grad();
    before[i].set_grad(Array());
    updated[i]->value.requires_grad(true);
    updated[i]->value.set_grad(gradient);
  }
  // Weight decay lets gradients flow from the state to the old parameters: without detaching, every step would keep the
  // graph of the one before.
  for (const nn::NamedValue& entry : states) *entry.value = entry.value->detach();
}

void Optimizer::zero_grad() {
  for (nn::Parameter* parameter : parameters_) {
    // While a step is traced, an updated parameter is a value and no leaf yet.
    if (std::as_const(parameter->value).requires_grad()) parameter->value.set_grad(Array());
  }
}

void Optimizer::set_learning_rate(double rate) {
  // A schedule's rate may decay below what float32 holds: that is a rate of 0.
  const bool vanishes = rate > 0 && rate < std::numeric_limits<float>::min();
  learning_rate_value_ = checked_rate(vanishes ? 0 : rate);
  if (learning_rate_.defined()) graph::overwrite(learning_rate_, std::array<float, 1>{learning_rate_value_});
}

std::vector<nn::NamedValue> Optimizer::state() {
  prepare();
  std::vector<nn::NamedValue> result;
  for (const auto& state : states_) {
    for (std::size_t i = 0; i < state->arrays.size(); ++i) {
      result.push_back({fmt::format("{}.{}", i, state->name), &state->arrays[i]});
    }
  }
  for (const auto& scalar : scalars_) result.push_back({scalar->name, &scalar->value});
  return result;
}

}  // namespace overtake::optim
