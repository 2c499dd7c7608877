// SPDX-License-Identifier: MIT
#include "graph/partition.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

std::vector<Node*> reachable(std::span<const std::shared_ptr<Node>> targets) {
  std::vector<Node*> found;
  std::unordered_set<const Node*> seen;
  std::vector<Node*> open;
  for (const auto& target : targets) open.push_back(target.get());
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (!seen.insert(node).second) continue;
    found.push_back(node);
    if (node->buffer != nullptr) continue;
    for (const auto& input : node->inputs) open.push_back(input.get());
  }
  std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  return found;
}

std::vector<std::pair<std::int64_t, std::int64_t>> without_units(const Shape& shape, const Layout& layout) {
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) axes.emplace_back(shape[axis], layout.strides[axis]);
  }
  return axes;
}

// Each axis (how many, stride) is one of the extent or several neighbours of it, units aside.
bool split_axes(const std::vector<std::pair<std::int64_t, std::int64_t>>& axes, const Shape& extent, Layout& result) {
  std::size_t end = extent.rank();
  for (std::size_t axis = axes.size(); axis-- > 0;) {
    auto [left, stride] = axes[axis];
    for (; left > 1; --end) {
      if (end == 0 || extent[end - 1] == 0 || left % extent[end - 1] != 0) return false;
      result.strides[end - 1] = extent[end - 1] == 1 ? 0 : stride;
      stride *= extent[end - 1];
      left /= extent[end - 1];
    }
  }
  while (end > 0 && extent[end - 1] == 1) --end;
  return end == 0;
}

// The inputs of the node, the last so far, are resolved.
Resolved resolve_node(const Partition& plan, int i) {
  const PlannedNode& planned = plan.nodes[static_cast<std::size_t>(i)];
  const Shape& shape = planned.node->shape;
  if (planned.kind != NodeKind::view) return {i, row_major(shape), true};
  const Resolved& input = plan.resolve(planned.inputs[0]);
  const Shape& input_shape = plan.nodes[static_cast<std::size_t>(planned.inputs[0])].node->shape;
  const Layout layout = static_cast<const View&>(*planned.node->primitive).apply(input.layout, input_shape, shape);
  const std::int64_t base_size = plan.nodes[static_cast<std::size_t>(input.base)].node->shape.size();
  const bool whole = layout.offset == 0 && shape.size() == base_size && is_row_major(layout, shape);
  return {input.base, layout, whole};
}

}  // namespace

bool restride(const Shape& shape, const Layout& layout, const Shape& extent, Layout& result) {
  result = Layout{.offset = layout.offset, .strides = {}};
  if (shape == extent) {
    result.strides = layout.strides;
    return true;
  }
  if (is_row_major(layout, shape)) {
    result.strides = row_major(extent).strides;
    return true;
  }
  const auto axes = without_units(shape, layout);
  if (std::all_of(axes.begin(), axes.end(), [](const auto& axis) { return axis.second == 0; })) return true;
  return split_axes(axes, extent, result);
}

Partition partition(std::span<const std::shared_ptr<Node>> targets, const backend::FusionLimits& limits) {
  Partition plan;
  std::unordered_map<const Node*, int> index;
  for (Node* node : reachable(targets)) {
    index[node] = static_cast<int>(plan.nodes.size());
    PlannedNode planned;
    planned.node = node;
    planned.kind = kind_of(*node);
    if (planned.kind != NodeKind::leaf) {
      for (const auto& input : node->inputs) planned.inputs.push_back(index.at(input.get()));
    }
    plan.nodes.push_back(std::move(planned));
    plan.resolved.push_back(resolve_node(plan, static_cast<int>(plan.nodes.size()) - 1));
  }
  for (const auto& target : targets) plan.nodes[static_cast<std::size_t>(index.at(target.get()))].target = true;
  absorb_copies(plan);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].kind == NodeKind::view) continue;
    for (const int input : plan.nodes[i].inputs) {
      plan.nodes[static_cast<std::size_t>(plan.resolve(input).base)].users.push_back(static_cast<int>(i));
    }
  }
  make_groups(plan, limits);
  if (limits.channel_sums) absorb_sums(plan);
  return plan;
}

}  // namespace overtake::graph
