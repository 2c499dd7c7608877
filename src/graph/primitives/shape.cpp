// SPDX-License-Identifier: MIT
// Views: reshape, transpose, broadcast_to, slice. They move no data; the planner copies only where a consumer needs it.
#include "graph/primitives/shape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/primitives/linear.hpp"
#include "graph/primitives/rule.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace graph {
namespace {

class Reshape final : public View {
 public:
  [[nodiscard]] std::string_view name() const override { return "reshape"; }
  [[nodiscard]] Layout apply(const Layout& input, const Shape&, const Shape& output_shape) const override {
    Layout layout = row_major(output_shape);  // the front end made sure that the input is contiguous
    layout.offset = input.offset;
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    return {reshape(g, inputs[0].shape().extents())};
  }
};

class Transpose final : public View {
 public:
  [[nodiscard]] std::string_view name() const override { return "transpose"; }
  [[nodiscard]] Layout apply(const Layout& input, const Shape& shape, const Shape&) const override {
    Layout layout = input;
    std::reverse(layout.strides.begin(), layout.strides.begin() + static_cast<std::ptrdiff_t>(shape.rank()));
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    return {transpose(g)};
  }
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
    if (shape.size() == 1) return reshape(sum(result), shape.extents());
    for (std::size_t axis = 0; axis < g.shape().rank(); ++axis) {
      const bool stretched = axis < added || (shape[axis - added] == 1 && g.shape()[axis] != 1);
      if (stretched) result = sum(result, static_cast<int>(axis), true);
    }
    return reshape(result, shape.extents());
  }
};

class Slice final : public View {
 public:
  Slice(std::int64_t begin, std::int64_t end) : begin_(begin), end_(end) {}
  [[nodiscard]] std::string_view name() const override { return "slice"; }
  void sign(Signature& signature) const override {
    signature.add(static_cast<std::uint64_t>(begin_));
    signature.add(static_cast<std::uint64_t>(end_));
  }
  [[nodiscard]] Layout apply(const Layout& input, const Shape&, const Shape&) const override {
    Layout layout = input;
    layout.offset += begin_ * input.strides[0];
    return layout;
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                                       const std::vector<bool>&) const override;

 private:
  std::int64_t begin_, end_;
};

// The gradient of slice: the cotangent's rows at their place, zeros elsewhere.
class PadRows final : public Elementwise {
 public:
  PadRows(std::int64_t begin, std::int64_t end) : begin_(begin), end_(end) {}
  [[nodiscard]] std::string_view name() const override { return "pad_rows"; }
  [[nodiscard]] bool positional() const override { return true; }
  void sign(Signature& signature) const override {
    signature.add(static_cast<std::uint64_t>(begin_));
    signature.add(static_cast<std::uint64_t>(end_));
  }
  [[nodiscard]] std::uint16_t emit(TapeBuilder& tape, const std::vector<std::uint16_t>& in) const override {
    using backend::TapeCode;
    const auto row = tape.apply(TapeCode::int_to_float, tape.apply(TapeCode::coordinate, 0, 0, 0, 0));
    const auto from = tape.apply(TapeCode::less_equal, tape.constant(static_cast<float>(begin_)), row);
    const auto to = tape.apply(TapeCode::less, row, tape.constant(static_cast<float>(end_)));
    const auto inside = tape.apply(TapeCode::multiply, from, to);
    return tape.apply(TapeCode::select, inside, in[0], tape.constant(0));
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }

 private:
  std::int64_t begin_, end_;
};

std::vector<Array> Slice::vjp(const std::vector<Array>& inputs, const Array&, const Array& g,
                              const std::vector<bool>&) const {
  // Rows of g by index, clamped into range, then masked: no scatter is needed for contiguous rows.
  const Shape& shape = inputs[0].shape();
  std::vector<std::int32_t> index(static_cast<std::size_t>(shape[0]));
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    index[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(std::clamp(row - begin_, std::int64_t{0}, end_ - begin_ - 1));
  }
  const Array rows = take(g, Array::from(std::span<const std::int32_t>(index), Shape{shape[0]}, g.device()));
  return {make_node(std::make_shared<PadRows>(begin_, end_), {rows}, shape, DType::float32)};
}

}  // namespace

bool is_row_major(const Layout& layout, const Shape& shape) {
  const Layout expected = row_major(shape);
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] > 1 && layout.strides[axis] != expected.strides[axis]) return false;
  }
  return true;
}

Layout layout_of(const Node& node) {
  const auto* view = dynamic_cast<const View*>(node.primitive.get());
  if (node.buffer != nullptr || view == nullptr) return row_major(node.shape);
  const Node& input = *node.inputs[0];
  return view->apply(layout_of(input), input.shape, node.shape);
}

Array refilled(const Array& a, const Shape& shape) {
  std::shared_ptr<Node> node = a.node();
  while (node->buffer == nullptr && node->shape.size() != 1 &&
         dynamic_cast<const View*>(node->primitive.get()) != nullptr) {
    node = node->inputs[0];
  }
  if (node->buffer == nullptr && dynamic_cast<const Constant*>(node->primitive.get()) != nullptr) {
    return make_source(node->primitive, shape, node->dtype, node->device);
  }
  if (node == a.node() || node->shape.size() != 1) return {};
  return broadcast_to(reshape(Array(node), {}), shape);
}

Array copied(const Array& a) {
  static const Rule copy_rule{
      "copy", [](TapeBuilder&, Rule::Registers in, float) { return in[0]; },
      [](const std::vector<Array>&, const Array&, const Array& g, std::size_t, float) { return g; }};
  return elementwise(copy_rule, {a}, 0, a.dtype());
}

Array cut_off(const Array& a) {
  static const Rule detach_rule{"detach", [](TapeBuilder&, Rule::Registers in, float) { return in[0]; }, nullptr};
  const NoGradient none;
  return elementwise(detach_rule, {a}, 0, a.dtype());
}

Array contiguous(const Array& a) { return is_row_major(layout_of(*a.node()), a.shape()) ? a : copied(a); }

std::optional<float> constant_value(const Array& a) {
  const Node* node = a.node().get();
  while (node->buffer == nullptr && dynamic_cast<const View*>(node->primitive.get()) != nullptr) {
    node = node->inputs[0].get();
  }
  if (node->buffer != nullptr) return std::nullopt;
  const auto* constant = dynamic_cast<const Constant*>(node->primitive.get());
  return constant == nullptr ? std::nullopt : std::optional(constant->value());
}

Array in_memory(const Array& a) { return constant_value(a) ? copied(a) : a; }

}  // namespace graph

Array reshape(const Array& a, std::vector<std::int64_t> extents) {
  graph::require("reshape", a, a.defined() ? a.dtype() : DType::float32);
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] != -1) {
      known *= extents[i];
    } else if (open >= 0) {
      throw UsageError("[reshape] at most one extent may be -1");
    } else {
      open = static_cast<std::ptrdiff_t>(i);
    }
  }
  if (open >= 0 && known > 0) extents[static_cast<std::size_t>(open)] = a.size() / known;
  const Shape shape(std::move(extents));
  if (shape.size() != a.size()) {
    throw UsageError(fmt::format("[reshape] {} has {} elements, {} asks for {}", a.shape().to_string(), a.size(),
                                 shape.to_string(), shape.size()));
  }
  if (shape == a.shape()) return a;
  if (Array same = graph::refilled(a, shape); same.defined()) return same;
  return graph::make_node(std::make_shared<graph::Reshape>(), {graph::contiguous(a)}, shape, a.dtype());
}

Array transpose(const Array& a) {
  graph::require("transpose", a, a.defined() ? a.dtype() : DType::float32);
  if (a.shape().rank() < 2) return a;
  const auto& node = a.node();
  if (node->buffer == nullptr && dynamic_cast<const graph::Transpose*>(node->primitive.get()) != nullptr) {
    return Array(node->inputs[0]);
  }
  // (AB)^T = B^T A^T: keeps weight gradients in the weights' layout, so that the update fuses into the product.
  if (node->buffer == nullptr && graph::is_matmul(*node)) {
    return matmul(transpose(Array(node->inputs[1])), transpose(Array(node->inputs[0])));
  }
  std::vector<std::int64_t> extents = a.shape().extents();
  std::reverse(extents.begin(), extents.end());
  return graph::make_node(std::make_shared<graph::Transpose>(), {a}, Shape(std::move(extents)), a.dtype());
}

Array broadcast_to(const Array& a, const Shape& shape) {
  graph::require("broadcast_to", a, a.defined() ? a.dtype() : DType::float32);
  if (a.shape() == shape) return a;
  if (broadcast_shapes(a.shape(), shape) != shape) {
    throw UsageError(
        fmt::format("[broadcast_to] {} does not broadcast to {}", a.shape().to_string(), shape.to_string()));
  }
  return graph::make_node(std::make_shared<graph::Broadcast>(), {a}, shape, a.dtype());
}

Array slice(const Array& a, std::int64_t begin, std::int64_t end) {
  graph::require("slice", a, a.defined() ? a.dtype() : DType::float32);
  if (a.shape().rank() == 0 || begin < 0 || begin > end || end > a.shape()[0]) {
    throw UsageError(fmt::format("[slice] rows {} to {} of an array of shape {}", begin, end, a.shape().to_string()));
  }
  std::vector<std::int64_t> extents = a.shape().extents();
  extents[0] = end - begin;
  return graph::make_node(std::make_shared<graph::Slice>(begin, end), {a}, Shape(std::move(extents)), a.dtype());
}

}  // namespace overtake
