// SPDX-License-Identifier: MIT
#include "graph/node.hpp"

#include <fmt/format.h>

#include <atomic>

#include "graph/primitive.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

thread_local int no_gradient_depth = 0;

}  // namespace

NoGradient::NoGradient() noexcept { ++no_gradient_depth; }
NoGradient::~NoGradient() { --no_gradient_depth; }
void NoGradient::change_depth(int change) noexcept { no_gradient_depth += change; }

Node::Node() : id(next_id()), trace(current_trace()) {}

Node::~Node() {
  std::vector<std::shared_ptr<Node>> chain = std::move(inputs);
  while (!chain.empty()) {
    std::shared_ptr<Node> node = std::move(chain.back());
    chain.pop_back();
    if (!node || node.use_count() > 1) continue;
    for (auto& input : node->inputs) chain.push_back(std::move(input));
    node->inputs.clear();
  }
}

NodeKind kind_of(const Node& node) noexcept { return node.buffer != nullptr ? NodeKind::leaf : node.primitive->kind(); }

const Constant* constant_of(const Node& node) noexcept {
  return kind_of(node) == NodeKind::constant ? static_cast<const Constant*>(node.primitive.get()) : nullptr;
}

Array make_leaf(const Shape& shape, DType dtype, std::shared_ptr<backend::Buffer> buffer) {
  auto node = std::make_shared<Node>();
  node->shape = shape;
  node->dtype = dtype;
  node->device = &buffer->device();
  node->buffer = std::move(buffer);
  return Array(std::move(node));
}

Array make_node(std::shared_ptr<const Primitive> primitive, const std::vector<Array>& inputs, const Shape& shape,
                DType dtype) {
  constexpr int most_views = 64;  // looking through them takes time and stack for each
  const bool is_view = primitive->kind() == NodeKind::view;
  const int depth = is_view ? inputs[0].node()->view_depth + 1 : 0;
  if (depth > most_views && inputs[0].node()->buffer == nullptr) {
    return make_node(std::move(primitive), {copied(inputs[0])}, shape, dtype);
  }
  auto node = std::make_shared<Node>();
  node->shape = shape;
  node->dtype = dtype;
  for (const Array& input : inputs) {
    const auto& from = input.node();
    if (from->device != nullptr) {
      if (node->device != nullptr && node->device != from->device) {
        throw UsageError(fmt::format("[{}] one operand is on {}, another on {}", primitive->name(),
                                     node->device->info().id, from->device->info().id),
                         "Move one of them with to(device): data crosses between devices only when asked.");
      }
      node->device = from->device;
    }
    node->needs_gradient = node->needs_gradient || (from->needs_gradient && no_gradient_depth == 0);
    node->inputs.push_back(from->shared_from_this());  // without the gradient that the handle owns
  }
  node->view_depth = depth;
  node->primitive = std::move(primitive);
  return Array(std::move(node));
}

Array make_source(std::shared_ptr<const Primitive> primitive, const Shape& shape, DType dtype,
                  backend::Device* device) {
  auto node = std::make_shared<Node>();
  node->shape = shape;
  node->dtype = dtype;
  node->device = device;
  node->primitive = std::move(primitive);
  return Array(std::move(node));
}

}  // namespace overtake::graph
