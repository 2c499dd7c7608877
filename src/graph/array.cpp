// SPDX-License-Identifier: MIT
// The public handle overtake::Array.
#include "overtake/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "core/checked.hpp"
#include "graph/compiled_step.hpp"
#include "graph/execute.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

using graph::make_source;
using graph::Number;
using graph::number_of;

constexpr std::size_t least_bytes = sizeof(std::uint64_t);  // arrays without elements have a buffer, too

const graph::Node& checked(const std::shared_ptr<graph::Node>& node) {
  if (node == nullptr) throw UsageError("an undefined array was used");
  return *node;
}

Array weak(Number value) {
  return make_source(std::make_shared<graph::Constant>(value, true), Shape{}, value.dtype, nullptr);
}

}  // namespace

Array Array::bool_scalar(bool value) { return weak(number_of(std::int64_t{value ? 1 : 0}, DType::boolean)); }
Array Array::int_scalar(std::int64_t value) { return weak(graph::number_of(value, DType::int64)); }
Array Array::large_scalar(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return int_scalar(static_cast<std::int64_t>(value));
  }
  return weak(graph::number_of(value, DType::uint64));
}
// Kept in double for float64 arrays: the node says float32, the constant more.
Array Array::float_scalar(double value) {
  return make_source(std::make_shared<graph::Constant>(graph::number_of(value, DType::float64), true), Shape{},
                     DType::float32, nullptr);
}

Array Array::from_memory(const void* values, std::int64_t count, DType dtype, const Shape& shape,
                         const Device& device) {
  if (count != shape.size()) {
    throw UsageError(
        fmt::format("[from] {} values for shape {} of {} elements", count, shape.to_string(), shape.size()));
  }
  const std::size_t bytes = checked_mul(static_cast<std::size_t>(count), size_of(dtype), "an array");
  std::shared_ptr<backend::Buffer> buffer = device.impl().allocate(bytes == 0 ? least_bytes : bytes);
  if (bytes > 0) device.impl().upload(*buffer, 0, values, bytes);
  return graph::make_leaf(shape, dtype, std::move(buffer));
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
  std::vector<std::byte> bytes(static_cast<std::size_t>(size()) * size_of(dtype()));
  to_memory(bytes.data());
  Array result = from_memory(bytes.data(), size(), dtype(), shape(), device);
  if (requires_grad()) result.requires_grad();
  return result;
}

Array Array::detach() const {
  if (checked(node_).buffer == nullptr && graph::is_tracing()) return graph::cut_off(*this);
  eval();
  return graph::make_leaf(node_->shape, node_->dtype, node_->buffer);
}

void Array::require_dtype(DType asked) const {
  if (dtype() == asked) return;
  throw UsageError(fmt::format("[to_vector] the array is {}, asked for {}", name_of(dtype()), name_of(asked)),
                   "Convert it with astype(), or ask for its own type.");
}

void Array::to_memory(void* to) const {
  graph::require_fixed("to_vector", *node_);
  eval();
  const std::size_t bytes = static_cast<std::size_t>(size()) * size_of(dtype());
  if (bytes > 0) node_->device->download(*node_->buffer, 0, to, bytes);
}

double Array::item_as_double() const {
  if (size() != 1) throw UsageError("[item] needs one element, got shape " + shape().to_string());
  graph::require_fixed("item", *node_);
  return dtype() == DType::float64 ? to_vector<double>()[0]
                                   : static_cast<double>(astype(*this, DType::float32).to_vector<float>()[0]);
}

std::int64_t Array::item_as_int() const {
  if (size() != 1) throw UsageError("[item] needs one element, got shape " + shape().to_string());
  graph::require_fixed("item", *node_);
  if (dtype() == DType::uint64) return std::bit_cast<std::int64_t>(to_vector<std::uint64_t>()[0]);
  std::array<std::byte, sizeof(std::int64_t)> element{};
  to_memory(element.data());
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, element.data(), sizeof(T));
    return static_cast<std::int64_t>(value);
  };
  switch (dtype()) {
    case DType::boolean:
    case DType::uint8: return as(std::uint8_t());
    case DType::int8: return as(std::int8_t());
    case DType::int16: return as(std::int16_t());
    case DType::uint16: return as(std::uint16_t());
    case DType::int32: return as(std::int32_t());
    case DType::uint32: return as(std::uint32_t());
    default: return as(std::int64_t());
  }
}

Array& Array::requires_grad(bool value) {
  if (!is_floating(dtype())) {
    throw UsageError(
        fmt::format("[requires_grad] only arrays of floating types have gradients, this one is {}", name_of(dtype())));
  }
  if (node_->buffer == nullptr) graph::require_fixed("requires_grad", *node_);
  eval();
  node_->inputs.clear();
  node_->primitive.reset();
  node_->needs_gradient = value;
  node_->frozen = !value;
  const std::shared_ptr<graph::Node> leaf = node_->shared_from_this();
  std::shared_ptr<graph::GradientSlot> slot = leaf->gradient.lock();
  if (!value) {
    if (slot != nullptr) slot->gradient = Array();
    leaf->gradient.reset();
    node_ = leaf;
    return *this;
  }
  if (slot == nullptr) slot = std::make_shared<graph::GradientSlot>(graph::GradientSlot{Array(), leaf});
  leaf->gradient = slot;
  node_ = std::shared_ptr<graph::Node>(slot, leaf.get());
  return *this;
}

bool Array::requires_grad() const { return !checked(node_).gradient.expired(); }

Array Array::grad() const {
  const std::shared_ptr<graph::GradientSlot> slot = checked(node_).gradient.lock();
  return slot == nullptr ? Array() : slot->gradient;
}

void Array::set_grad(const Array& gradient) const {
  if (!requires_grad()) throw UsageError("[set_grad] the array does not require a gradient");
  if (gradient.defined() && gradient.shape() != shape()) {
    throw UsageError(fmt::format("[set_grad] a gradient of shape {} for an array of shape {}",
                                 gradient.shape().to_string(), shape().to_string()));
  }
  node_->gradient.lock()->gradient = gradient;
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
