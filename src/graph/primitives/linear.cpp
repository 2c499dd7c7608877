// SPDX-License-Identifier: MIT
// The matrix product of float32.
#include "graph/primitives/linear.hpp"

#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"

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
  return kind_of(node) == NodeKind::core && dynamic_cast<const MatMul*>(node.primitive.get()) != nullptr;
}

Array float_matmul(const Array& a, const Array& b) {
  if (a.shape()[1] == 0) return zeros(Shape{a.shape()[0], b.shape()[1]}, a.device());
  return make_node(std::make_shared<MatMul>(), {with_leading_dimension(a), with_leading_dimension(b)},
                   Shape{a.shape()[0], b.shape()[1]}, DType::float32);
}

}  // namespace graph
}  // namespace overtake
