// SPDX-License-Identifier: MIT
// Views: reshape, transpose, broadcast_to, slice. They move no data; the planner copies only where a consumer needs it.
#include "graph/primitives/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/checked.hpp"
#include "graph/primitives/linear.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace graph {
namespace {

class Reshape final : public View {
 public:
  [[nodiscard]] std::string_view name() const override { return "reshape"; }
  [[nodiscard]] bool keeps_memory() const noexcept override { return true; }
  [[nodiscard]] Layout apply(const Layout& input, const Shape&, const Shape& output_shape) const override {
    Layout layout = row_major(output_shape);  // the front end made sure that the input is contiguous
    layout.offset = input.offset;
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    return {reshape(g, inputs[0].shape().to_vector())};
  }
};

// Axis i of the result is axis order[i] of the input.
class Permute final : public View {
 public:
  explicit Permute(std::vector<int> order) : order_(std::move(order)) {}
  [[nodiscard]] std::string_view name() const override { return "permute_dims"; }
  void sign(Signature& signature) const override {
    for (const int axis : order_) signature.add(static_cast<std::uint64_t>(axis));
  }
  [[nodiscard]] Layout apply(const Layout& input, const Shape&, const Shape&) const override {
    Layout layout{.offset = input.offset, .strides = {}};
    for (std::size_t i = 0; i < order_.size(); ++i) {
      layout.strides[i] = input.strides[static_cast<std::size_t>(order_[i])];
    }
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    std::vector<int> back(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) back[static_cast<std::size_t>(order_[i])] = static_cast<int>(i);
    return {permute_dims(g, back)};
  }
  [[nodiscard]] const std::vector<int>& order() const noexcept { return order_; }

 private:
  std::vector<int> order_;
};

class Broadcast final : public View {
 public:
  [[nodiscard]] std::string_view name() const override { return "broadcast_to"; }
  [[nodiscard]] Layout apply(const Layout& input, const Shape& from, const Shape& to) const override {
    Layout layout{.offset = input.offset, .strides = {}};
    const std::size_t added = to.rank() - from.rank();
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
      layout.strides[axis + added] = from[axis] == 1 ? 0 : input.strides[axis];
    }
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    return {sum_to(g, inputs[0].shape())};
  }

 private:
  // Adds up every axis that was stretched.
  static Array sum_to(const Array& g, const Shape& shape) {
    const std::size_t added = g.shape().rank() - shape.rank();
    Array result = g;
    if (shape.size() == 1) return reshape(sum(result), shape.to_vector());
    for (std::size_t axis = 0; axis < g.shape().rank(); ++axis) {
      const bool stretched = axis < added || (shape[axis - added] == 1 && g.shape()[axis] != 1);
      if (stretched) result = sum(result, static_cast<int>(axis), true);
    }
    return reshape(result, shape.to_vector());
  }
};

// Every step-th element of one axis.
class SliceView final : public View {
 public:
  SliceView(std::size_t axis, std::int64_t begin, std::int64_t step) : axis_(axis), begin_(begin), step_(step) {}
  [[nodiscard]] std::string_view name() const override { return "slice"; }
  void sign(Signature& signature) const override {
    signature.add(axis_);
    signature.add(static_cast<std::uint64_t>(begin_));
    signature.add(static_cast<std::uint64_t>(step_));
  }
  [[nodiscard]] Layout apply(const Layout& input, const Shape&, const Shape&) const override {
    Layout layout = input;
    layout.offset += begin_ * input.strides[axis_];
    layout.strides[axis_] *= step_;
    return layout;
  }
  // The cotangent's elements at their places, zeros elsewhere.
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    const Shape& shape = inputs[0].shape();
    if (g.size() == 0) return {zeros(shape, g.dtype(), g.device())};
    const Spread all = spread(g, axis_, shape[axis_], begin_, step_, g.device());
    return {where(all.inside, all.values, 0)};
  }

 private:
  std::size_t axis_;
  std::int64_t begin_, step_;
};

}  // namespace

bool is_row_major(const Layout& layout, const Shape& shape) {
  const Layout expected = row_major(shape);
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] > 1 && layout.strides[axis] != expected.strides[axis]) return false;
  }
  return true;
}

Layout layout_of(const Node& node) {
  if (kind_of(node) != NodeKind::view) return row_major(node.shape);
  const Node& input = *node.inputs[0];
  return static_cast<const View&>(*node.primitive).apply(layout_of(input), input.shape, node.shape);
}

Array refilled(const Array& a, const Shape& shape) {
  std::shared_ptr<Node> node = a.node();
  while (node->shape.size() != 1 && kind_of(*node) == NodeKind::view) node = node->inputs[0];
  if (constant_of(*node) != nullptr) {
    return make_source(node->primitive, shape, node->dtype, node->device);
  }
  if (node == a.node() || node->shape.size() != 1) return {};
  return broadcast_to(reshape(Array(node), {}), shape);
}

Array copied(const Array& a) {
  static const Rule copy_rule{
      "copy", [](TapeBuilder&, Rule::Registers in, float) { return in[0]; },
      [](const std::vector<Array>&, const Array&, const Array& g, std::size_t, float) { return g; }};
  // Not by elementwise(), which would keep the order in memory of what was permuted.
  return make_node(std::make_shared<RulePrimitive>(copy_rule, 0.0F, a.dtype()), {a}, a.shape(), a.dtype());
}

Array cut_off(const Array& a) {
  static const Rule detach_rule{"detach", [](TapeBuilder&, Rule::Registers in, float) { return in[0]; }, nullptr};
  const NoGradient none;
  return elementwise(detach_rule, {a}, 0, a.dtype());
}

Array contiguous(const Array& a) { return is_row_major(layout_of(*a.node()), a.shape()) ? a : copied(a); }

// Taken by clamped index.
Spread spread(const Array& values, std::size_t axis, std::int64_t extent, std::int64_t begin, std::int64_t step,
              const Device& device) {
  const std::int64_t count = values.shape()[axis];
  const Array place = arange(extent, DType::int64, device) - begin;
  const Array chosen = floor_divide(place, step);
  const Array inside =
      logical_and(logical_and(greater_equal(chosen, 0), less(chosen, count)), equal(chosen * step, place));
  std::vector<std::int64_t> along(values.shape().rank(), 1);
  along[axis] = extent;
  return {taken(values, minimum(maximum(chosen, 0), count - 1), axis), reshape(inside, along)};
}

Region places_of(std::string_view name, const Slice& slice, std::int64_t extent) {
  const std::int64_t step = slice.step;
  if (step == 0) {
    throw UsageError(fmt::format("[{}] a step of 0", name), "Use a step of at least 1, or a negative one.");
  }
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? extent : extent - 1;
  const auto clipped = [&](std::optional<std::int64_t> at, std::int64_t otherwise) {
    if (!at) return otherwise;
    return std::clamp(*at < 0 ? *at + extent : *at, lowest, highest);
  };
  const std::int64_t first = clipped(slice.begin, step > 0 ? lowest : highest);
  const std::int64_t last = clipped(slice.end, step > 0 ? highest : lowest);
  const std::int64_t distance = step > 0 ? last - first : first - last;
  if (distance <= 0) return {0, 0, step};
  const std::uint64_t stride = step > 0 ? static_cast<std::uint64_t>(step) : -static_cast<std::uint64_t>(step);
  return {first, static_cast<std::int64_t>(static_cast<std::uint64_t>(distance - 1) / stride) + 1, step};
}

std::size_t checked_axis(std::string_view name, int axis, const Shape& shape) {
  const int rank = static_cast<int>(shape.rank());
  if (axis < -rank || axis >= rank) {
    throw UsageError(
        fmt::format("[{}] axis {} of an array of shape {}", name, axis, shape.to_string()),
        rank == 0 ? "An array without axes has none to name." : fmt::format("Axes go from {} to {}.", -rank, rank - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

std::optional<Number> constant_value(const Array& a) {
  const Node* node = a.node().get();
  while (kind_of(*node) == NodeKind::view) node = node->inputs[0].get();
  const Constant* constant = constant_of(*node);
  return constant == nullptr ? std::nullopt : std::optional(constant->value());
}

std::optional<std::vector<int>> order_of(const Node& node) {
  if (kind_of(node) != NodeKind::view) return std::nullopt;
  const auto* permute = dynamic_cast<const Permute*>(node.primitive.get());
  return permute == nullptr ? std::nullopt : std::optional(permute->order());
}

Array in_memory(const Array& a) { return constant_value(a) ? copied(a) : a; }

}  // namespace graph

namespace {

// The one extent that is -1 becomes what the others leave.
std::vector<std::int64_t> completed(const Array& a, std::vector<std::int64_t> extents) {
  const auto asked = [&] { return fmt::format("({})", fmt::join(extents, ", ")); };
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == -1 && open >= 0) throw UsageError("[reshape] at most one extent may be -1");
    if (extents[i] < -1) throw UsageError(fmt::format("[reshape] the shape {} has a negative extent", asked()));
    if (extents[i] == -1) {
      open = static_cast<std::ptrdiff_t>(i);
    } else {
      known = checked_mul(known, extents[i], "a shape");
    }
  }
  if (open < 0) return extents;
  if (known == 0 || a.size() % known != 0) {
    throw UsageError(fmt::format("[reshape] {} has {} elements, {} asks for a multiple of {}", a.shape().to_string(),
                                 a.size(), asked(), known));
  }
  extents[static_cast<std::size_t>(open)] = a.size() / known;
  return extents;
}

}  // namespace

Array reshape(const Array& a, std::vector<std::int64_t> extents) {
  graph::require_defined("reshape", a);
  const Shape shape(completed(a, std::move(extents)));
  if (shape.size() != a.size()) {
    throw UsageError(fmt::format("[reshape] {} has {} elements, {} asks for {}", a.shape().to_string(), a.size(),
                                 shape.to_string(), shape.size()));
  }
  if (shape == a.shape()) return a;
  if (Array same = graph::refilled(a, shape); same.defined()) return same;
  return graph::make_node(std::make_shared<graph::Reshape>(), {graph::contiguous(a)}, shape, a.dtype());
}

Array permute_dims(const Array& a, const std::vector<int>& axes) {
  graph::require_defined("permute_dims", a);
  const int rank = static_cast<int>(a.shape().rank());
  std::vector<int> order;
  std::vector<std::int64_t> extents;
  for (const int axis : axes) {
    const int chosen = axis < 0 ? axis + rank : axis;
    if (chosen < 0 || chosen >= rank || std::find(order.begin(), order.end(), chosen) != order.end()) break;
    order.push_back(chosen);
    extents.push_back(a.shape()[static_cast<std::size_t>(chosen)]);
  }
  if (static_cast<int>(axes.size()) != rank || static_cast<int>(order.size()) != rank) {
    throw UsageError(fmt::format("[permute_dims] axes ({}) of an array of shape {}: expected each axis once",
                                 fmt::join(axes, ", "), a.shape().to_string()));
  }
  if (std::is_sorted(order.begin(), order.end())) return a;
  const auto& node = a.node();
  // (AB)^T = B^T A^T: keeps weight gradients in the weights' layout, so that the update fuses into the product.
  if (node->buffer == nullptr && graph::is_matmul(*node)) {
    return graph::transposed_matmul(*node);
  }
  const bool is_view = graph::kind_of(*node) == graph::NodeKind::view;
  const auto* before = is_view ? dynamic_cast<const graph::Permute*>(node->primitive.get()) : nullptr;
  if (before != nullptr) {
    for (int& axis : order) axis = before->order()[static_cast<std::size_t>(axis)];
    return permute_dims(Array(node->inputs[0]), order);
  }
  return graph::make_node(std::make_shared<graph::Permute>(std::move(order)), {a}, Shape(std::move(extents)),
                          a.dtype());
}

Array transpose(const Array& a) {
  graph::require_defined("transpose", a);
  std::vector<int> axes(a.shape().rank());
  std::iota(axes.rbegin(), axes.rend(), 0);
  return permute_dims(a, axes);
}

Array broadcast_to(const Array& a, const Shape& shape) {
  graph::require_defined("broadcast_to", a);
  if (a.shape() == shape) return a;
  if (broadcast_shapes(a.shape(), shape) != shape) {
    throw UsageError(
        fmt::format("[broadcast_to] {} does not broadcast to {}", a.shape().to_string(), shape.to_string()));
  }
  return graph::make_node(std::make_shared<graph::Broadcast>(), {a}, shape, a.dtype());
}

Array slice(const Array& a, std::optional<std::int64_t> begin, std::optional<std::int64_t> end, int axis,
            std::int64_t step) {
  graph::require_defined("slice", a);
  const std::size_t chosen = graph::checked_axis("slice", axis, a.shape());
  const std::int64_t extent = a.shape()[chosen];
  const auto [first, count, stride] = graph::places_of("slice", Slice(begin, end, step), extent);
  if (count == extent && stride == 1) return a;
  std::vector<std::int64_t> extents = a.shape().to_vector();
  extents[chosen] = count;
  return graph::make_node(std::make_shared<graph::SliceView>(chosen, first, stride), {a}, Shape(std::move(extents)),
                          a.dtype());
}

}  // namespace overtake
