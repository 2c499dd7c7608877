// SPDX-License-Identifier: MIT
// The matrix product of float32, or of bfloat16 added up in float32.
#include "graph/primitives/linear.hpp"

#include "graph/primitives/layout.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/precision.hpp"

namespace overtake {
namespace graph {
namespace {

Array product(const Array& a, const Array& b, Precision precision);

class MatMul final : public Core {
 public:
  explicit MatMul(Precision precision) : precision_(precision) {}
  void sign(Signature& signature) const override { signature.add(static_cast<std::uint64_t>(precision_)); }
  [[nodiscard]] Precision precision() const noexcept { return precision_; }
  [[nodiscard]] std::string_view name() const override { return "matmul"; }
  // The left gradient is built first: it reads the right operand (the weights), which an optimiser then updates in
  // place in the same launch that computes the right gradient.
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>& wanted) const override {
    std::vector<Array> result(2);
    if (wanted[0]) result[0] = gradient_by(in[0], product(g, transpose(in[1]), precision_));
    if (wanted[1]) result[1] = gradient_by(in[1], product(transpose(in[0]), g, precision_));
    return result;
  }
  [[nodiscard]] Variant lower(const std::vector<Operand>& in, const Shape& shape) const override {
    return backend::MatMulCore{.m = shape[0],
                               .n = shape[1],
                               .k = in[0].shape[1],
                               .a = {in[0].slot, in[0].layout.offset, in[0].layout.strides[0], in[0].layout.strides[1]},
                               .b = {in[1].slot, in[1].layout.offset, in[1].layout.strides[0], in[1].layout.strides[1]},
                               .dtype = in[0].dtype,
                               .tf32 = precision_ == Precision::tf32};
  }

 private:
  Precision precision_;
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

Array product(const Array& a, const Array& b, Precision precision) {
  const Shape shape{a.shape()[0], b.shape()[1]};
  if (a.shape()[1] == 0) return zeros(shape, a.device());
  const Array left = before_widening(a), right = before_widening(b);
  const bool narrow =
      precision == Precision::bf16 || (left.dtype() == DType::bfloat16 && right.dtype() == DType::bfloat16);
  const auto operand = [&](const Array& each) {
    return with_leading_dimension(astype(each, narrow ? DType::bfloat16 : DType::float32));
  };
  return make_node(std::make_shared<MatMul>(precision), {operand(left), operand(right)}, shape, DType::float32);
}

}  // namespace

bool is_matmul(const Node& node) {
  return kind_of(node) == NodeKind::core && dynamic_cast<const MatMul*>(node.primitive.get()) != nullptr;
}

Array float_matmul(const Array& a, const Array& b) { return product(a, b, current_precision()); }

Array transposed_matmul(const Node& node) {
  const auto transposed = [](const std::shared_ptr<Node>& input) { return transpose(Array(input)); };
  return product(transposed(node.inputs[1]), transposed(node.inputs[0]),
                 static_cast<const MatMul&>(*node.primitive).precision());
}

}  // namespace graph
}  // namespace overtake
