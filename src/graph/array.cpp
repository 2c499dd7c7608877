// SPDX-License-Identifier: MIT
// The public handle overtake::Array.
#include "overtake/array.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/checked.hpp"
#include "graph/compiled_step.hpp"
#include "graph/execute.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

const graph::Node& checked(const std::shared_ptr<graph::Node>& node) {
  if (node == nullptr) throw UsageError("an undefined array was used");
  return *node;
}

template <typename T>
Array upload(std::span<const T> values, const Shape& shape, const Device& device) {
  if (static_cast<std::int64_t>(values.size()) != shape.size()) {
    throw UsageError(
        fmt::format("[from] {} values for shape {} of {} elements", values.size(), shape.to_string(), shape.size()));
  }
  const std::size_t bytes = checked_mul(values.size(), sizeof(T), "an array");
  std::shared_ptr<backend::Buffer> buffer = device.impl().allocate(std::max(bytes, sizeof(T)));
  if (bytes > 0) device.impl().upload(*buffer, 0, values.data(), bytes);
  return graph::make_leaf(shape, dtype_of<T>::value, std::move(buffer));
}

}  // namespace

Array::Array(float value)
    : Array(graph::make_source(std::make_shared<graph::Constant>(value), Shape{}, DType::float32, nullptr)) {}

Array Array::from(std::span<const float> values, const Shape& shape, const Device& device) {
  return upload(values, shape, device);
}

Array Array::from(std::span<const std::int32_t> values, const Shape& shape, const Device& device) {
  return upload(values, shape, device);
}

const Shape& Array::shape() const { return checked(node_).shape; }
DType Array::dtype() const { return checked(node_).dtype; }

Device Array::device() const {
  const graph::Node& node = checked(node_);
  return node.device == nullptr ? Device() : Device(node.device->info().id);
}

void Array::eval() const {
  if (checked(node_).buffer != nullptr) return;
  graph::require_fixed("eval", *node_);
  graph::evaluate(std::span(&node_, 1));
}

bool Array::is_evaluated() const { return checked(node_).buffer != nullptr; }

Array Array::to(const Device& device) const {
  if (checked(node_).device != &device.impl()) graph::require_fixed("to", *node_);
  if (node_->device == &device.impl() && graph::is_tracing()) return *this;
  eval();
  if (node_->device == &device.impl()) return *this;
  Array result;
  if (dtype() == DType::float32) {
    result = from(std::span<const float>(to_vector<float>()), shape(), device);
  } else {
    result = from(std::span<const std::int32_t>(to_vector<std::int32_t>()), shape(), device);
  }
  if (requires_grad()) result.requires_grad();
  return result;
}

Array Array::detach() const {
  if (checked(node_).buffer == nullptr && graph::is_tracing()) return graph::cut_off(*this);
  eval();
  return graph::make_leaf(node_->shape, node_->dtype, node_->buffer);
}

template <typename T>
std::vector<T> Array::to_vector() const {
  if (dtype() != dtype_of<T>::value) {
    throw UsageError(
        fmt::format("[to_vector] the array is {}, asked for {}", name_of(dtype()), name_of(dtype_of<T>::value)));
  }
  graph::require_fixed("to_vector", *node_);
  eval();
  std::vector<T> values(static_cast<std::size_t>(size()));
  if (!values.empty()) node_->device->download(*node_->buffer, 0, values.data(), values.size() * sizeof(T));
  return values;
}

template std::vector<float> Array::to_vector<float>() const;
template std::vector<std::int32_t> Array::to_vector<std::int32_t>() const;

float Array::item() const {
  if (size() != 1) throw UsageError("[item] needs one element, got shape " + shape().to_string());
  graph::require_fixed("item", *node_);
  return dtype() == DType::float32 ? to_vector<float>()[0] : static_cast<float>(to_vector<std::int32_t>()[0]);
}

Array& Array::requires_grad(bool value) {
  if (dtype() != DType::float32) throw UsageError("[requires_grad] only float32 arrays have gradients");
  if (node_->buffer == nullptr) graph::require_fixed("requires_grad", *node_);
  eval();
  node_->inputs.clear();
  node_->primitive.reset();
  node_->needs_gradient = value;
  node_->frozen = !value;
  if (!value) {
    node_->gradient.reset();
  } else if (node_->gradient == nullptr) {
    node_->gradient = std::make_shared<graph::GradientSlot>();
  }
  return *this;
}

bool Array::requires_grad() const { return checked(node_).gradient != nullptr; }

Array Array::grad() const { return checked(node_).gradient == nullptr ? Array() : node_->gradient->gradient; }

void Array::set_grad(const Array& gradient) const {
  if (!requires_grad()) throw UsageError("[set_grad] the array does not require a gradient");
  if (gradient.defined() && gradient.shape() != shape()) {
    throw UsageError(fmt::format("[set_grad] a gradient of shape {} for an array of shape {}",
                                 gradient.shape().to_string(), shape().to_string()));
  }
  node_->gradient->gradient = gradient;
}

void eval(std::span<const Array> arrays) {
  std::vector<std::shared_ptr<graph::Node>> nodes;
  for (const Array& array : arrays) {
    if (checked(array.node()).buffer == nullptr) graph::require_fixed("eval", *array.node());
    nodes.push_back(array.node());
  }
  graph::evaluate(nodes);
}

}  // namespace overtake
