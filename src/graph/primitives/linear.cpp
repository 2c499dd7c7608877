// SPDX-License-Identifier: MIT
// The matrix product.
#include "graph/primitives/linear.hpp"

#include <fmt/format.h>

#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace graph {
namespace {

class MatMul final : public Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "matmul"; }
  // The left gradient is built first: it reads the right operand (the weights), which an optimiser then updates in
  // place in the same launch that computes the right gradient.
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>& wanted) const override {
    std::vector<Array> result(2);
    if (wanted[0]) result[0] = matmul(g, transpose(in[1]));
    if (wanted[1]) result[1] = matmul(transpose(in[0]), g);
    return result;
  }
  [[nodiscard]] Variant lower(const std::vector<Operand>& in, const Shape& shape) const override {
    return backend::MatMulCore{
        .m = shape[0],
        .n = shape[1],
        .k = in[0].shape[1],
        .a = {in[0].slot, in[0].layout.offset, in[0].layout.strides[0], in[0].layout.strides[1]},
        .b = {in[1].slot, in[1].layout.offset, in[1].layout.strides[0], in[1].layout.strides[1]}};
  }
};

// One stride must be 1 and the other at least the extent beside it, as every BLAS asks; else the operand is copied.
Array with_leading_dimension(const Array& operand) {
  const Array a = in_memory(operand);
  const Layout layout = layout_of(*a.node());
  const auto fits = [&](std::size_t fast, std::size_t slow) {
    const bool dense = layout.strides[fast] == 1 || a.shape()[fast] == 1;
    return dense && (layout.strides[slow] >= a.shape()[fast] || a.shape()[slow] == 1);
  };
  return fits(1, 0) || fits(0, 1) ? a : contiguous(a);
}

}  // namespace

bool is_matmul(const Node& node) {
  return node.buffer == nullptr && dynamic_cast<const MatMul*>(node.primitive.get()) != nullptr;
}

}  // namespace graph

Array matmul(const Array& a, const Array& b) {
  graph::require("matmul", a, DType::float32);
  graph::require("matmul", b, DType::float32);
  if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.shape()[1] != b.shape()[0]) {
    throw UsageError(
        fmt::format("[matmul] {} x {}: expected (m, k) x (k, n)", a.shape().to_string(), b.shape().to_string()),
        "Use reshape() or transpose() to line up the inner extents.");
  }
  if (a.shape()[1] == 0) return zeros(Shape{a.shape()[0], b.shape()[1]}, a.device());
  return graph::make_node(std::make_shared<graph::MatMul>(),
                          {graph::with_leading_dimension(a), graph::with_leading_dimension(b)},
                          Shape{a.shape()[0], b.shape()[1]}, DType::float32);
}

}  // namespace overtake
