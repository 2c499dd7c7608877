// SPDX-License-Identifier: MIT
#include "graph/primitives/layout.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "graph/primitives/shape.hpp"
#include "overtake/ops/elements.hpp"
#include "overtake/ops/manipulation.hpp"

namespace overtake::graph {
namespace {

bool is_stretched(const Array& a) {
  const Node& node = *a.node();
  return kind_of(node) == NodeKind::view && node.primitive->name() == "broadcast_to";
}

}  // namespace

Array in_order_of_memory(const std::vector<Array>& inputs,
                         const std::function<Array(const std::vector<Array>&)>& make) {
  std::optional<std::vector<int>> common;
  for (const Array& input : inputs) {
    const auto order = order_of(*input.node());
    if (order && common && *order != *common) return make(inputs);
    if (order) common = order;
    if (!order && !constant_value(input) && !is_stretched(input)) return make(inputs);
  }
  constexpr std::size_t image_axes = 4;  // of others the result is as good as new
  if (!common || common->size() != image_axes) return make(inputs);
  std::vector<int> back(common->size());
  for (std::size_t i = 0; i < common->size(); ++i) back[static_cast<std::size_t>((*common)[i])] = static_cast<int>(i);
  std::vector<Array> straight;
  straight.reserve(inputs.size());
  for (const Array& input : inputs) straight.push_back(permute_dims(input, back));
  return permute_dims(make(straight), *common);
}

Array before_widening(const Array& a) {
  const Node& node = *a.node();
  if (const auto order = order_of(node)) {
    const Array before = before_widening(Array(node.inputs[0]));
    return before.dtype() == a.dtype() ? a : permute_dims(before, *order);
  }
  if (kind_of(node) == NodeKind::view && node.primitive->keeps_memory()) {  // reshaped
    const Array before = before_widening(Array(node.inputs[0]));
    return before.dtype() == a.dtype() ? a : reshape(before, node.shape.to_vector());
  }
  const bool is_conversion = node.primitive != nullptr && node.primitive->name() == "astype" && !node.inputs.empty();
  if (!is_conversion || a.dtype() != DType::float32 || node.inputs[0]->dtype != DType::bfloat16) return a;
  return Array(node.inputs[0]);
}

Array gradient_by(const Array& operand, const Array& gradient) {
  if (operand.dtype() != DType::bfloat16) return gradient;
  const Node* node = operand.node().get();
  const auto named = [&](std::string_view name) {
    return node->primitive != nullptr && node->primitive->name() == name;
  };
  while ((kind_of(*node) == NodeKind::view || named("copy")) && !node->inputs.empty()) node = node->inputs[0].get();
  if (named("astype") && !node->inputs.empty()) {
    node = node->inputs[0].get();
    while (kind_of(*node) == NodeKind::view) node = node->inputs[0].get();
    if (kind_of(*node) == NodeKind::leaf) return gradient;
  }
  return astype(gradient, DType::bfloat16);
}

Array channels_last(const Array& images) { return permute_dims(images, {0, 2, 3, 1}); }
Array channels_first(const Array& images) { return permute_dims(images, {0, 3, 1, 2}); }

}  // namespace overtake::graph
