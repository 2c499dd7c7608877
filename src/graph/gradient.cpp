// SPDX-License-Identifier: MIT
// Reverse-mode differentiation: walks the nodes from the loss down and builds the gradient as new lazy nodes.
#include <algorithm>
#include <map>
#include <unordered_set>

#include "graph/execute.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

using graph::Node;
using NodePtr = std::shared_ptr<Node>;

struct ById {
  bool operator()(const NodePtr& a, const NodePtr& b) const { return a->id > b->id; }
};

// Cotangents by node, newest node first: when a node is reached, all that use it have been handled.
using Cotangents = std::map<NodePtr, Array, ById>;

void check_loss(const Array& loss) {
  if (!loss.defined()) throw UsageError("[backward] got an undefined array");
  if (loss.size() != 1) {
    throw UsageError("[backward] needs one element, got shape " + loss.shape().to_string(),
                     "Reduce the loss first, with mean() or sum().");
  }
}

// Which nodes gradients go through.
enum class Through {
  all,     // what gradients() is asked for
  marked,  // what requires a gradient: not what was made under NoGrad
};

// The nodes on a path from the loss to one of the inputs.
std::unordered_set<const Node*> nodes_towards(const NodePtr& loss, const std::unordered_set<const Node*>& inputs,
                                              Through through) {
  std::vector<NodePtr> order;
  std::unordered_set<const Node*> seen;
  std::vector<NodePtr> open{loss};
  while (!open.empty()) {
    NodePtr node = open.back();
    open.pop_back();
    if (through == Through::marked && !node->needs_gradient) continue;
    if (!seen.insert(node.get()).second) continue;
    for (const NodePtr& input : node->inputs) open.push_back(input);
    order.push_back(std::move(node));
  }
  std::sort(order.begin(), order.end(), [](const NodePtr& a, const NodePtr& b) { return a->id < b->id; });
  std::unordered_set<const Node*> towards;
  for (const NodePtr& node : order) {
    bool on_path = inputs.contains(node.get());
    for (const NodePtr& input : node->inputs) on_path = on_path || towards.contains(input.get());
    if (on_path) towards.insert(node.get());
  }
  return towards;
}

void propagate(const NodePtr& node, const Array& cotangent, const std::unordered_set<const Node*>& towards,
               Cotangents& cotangents) {
  if (node->primitive == nullptr) return;
  std::vector<Array> inputs;
  std::vector<bool> wanted;
  for (const NodePtr& input : node->inputs) {
    inputs.emplace_back(input);
    wanted.push_back(towards.contains(input.get()));
  }
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return;
  const std::vector<Array> parts = node->primitive->vjp(inputs, Array(node), cotangent, wanted);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!wanted[i] || !parts[i].defined()) continue;
    Array& sum = cotangents[node->inputs[i]];
    sum = sum.defined() ? add(sum, parts[i]) : parts[i];
  }
}

// Gradients of the loss by each of the inputs; undefined where the loss does not depend on it.
std::vector<Array> differentiate(const Array& loss, const std::vector<NodePtr>& inputs, Through through) {
  std::unordered_set<const Node*> wanted;
  for (const NodePtr& input : inputs) wanted.insert(input.get());
  const auto towards = nodes_towards(loss.node(), wanted, through);
  Cotangents cotangents;
  cotangents[loss.node()] = ones(loss.shape(), loss.dtype(), loss.device());
  std::map<const Node*, Array> result;
  while (!cotangents.empty()) {
    const auto [node, cotangent] = *cotangents.begin();
    cotangents.erase(cotangents.begin());
    if (wanted.contains(node.get())) result[node.get()] = cotangent;
    propagate(node, cotangent, towards, cotangents);
  }
  std::vector<Array> gradients;
  gradients.reserve(inputs.size());
  for (const NodePtr& input : inputs) gradients.push_back(result[input.get()]);
  return gradients;
}

std::vector<NodePtr> differentiable_leaves(const NodePtr& loss) {
  std::vector<NodePtr> leaves;
  std::unordered_set<const Node*> seen;
  std::vector<NodePtr> open{loss};
  while (!open.empty()) {
    NodePtr node = open.back();
    open.pop_back();
    if (!node->needs_gradient || !seen.insert(node.get()).second) continue;
    if (!node->gradient.expired()) leaves.push_back(node);
    for (const NodePtr& input : node->inputs) open.push_back(input);
  }
  std::sort(leaves.begin(), leaves.end(), [](const NodePtr& a, const NodePtr& b) { return a->id < b->id; });
  return leaves;
}

}  // namespace

std::vector<Array> gradients(const Array& loss, std::span<const Array> inputs) {
  check_loss(loss);
  std::vector<NodePtr> nodes;
  for (const Array& input : inputs) {
    if (!input.defined()) throw UsageError("[gradients] got an undefined input");
    nodes.push_back(input.node());
  }
  std::vector<Array> result = differentiate(loss, nodes, Through::all);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!result[i].defined()) result[i] = zeros(inputs[i].shape(), inputs[i].dtype(), inputs[i].device());
  }
  return result;
}

void Array::backward() const {
  check_loss(*this);
  const std::vector<NodePtr> leaves = differentiable_leaves(node_);
  if (leaves.empty()) {
    throw UsageError("[backward] nothing to differentiate by",
                     "Let the arrays that are to be trained require gradients, before they are used.");
  }
  const graph::NoGradient first_derivatives_only;
  const std::vector<Array> parts = differentiate(*this, leaves, Through::marked);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const std::shared_ptr<graph::GradientSlot> slot = leaves[i]->gradient.lock();
    if (slot == nullptr) continue;
    Array& sum = slot->gradient;
    sum = sum.defined() ? add(sum, parts[i]) : parts[i];
  }
  graph::evaluate_along(node_);
}

}  // namespace overtake
