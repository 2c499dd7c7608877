// SPDX-License-Identifier: MIT
// Functions of whole rows (the last axis): softmax, log_softmax, cross_entropy_rows, argmax.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/rows.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::RowCore;
using backend::RowKind;
using backend::TapeCode;

// 1 where the column is the row's label: (rows, columns) from labels broadcast to (rows, columns).
class OneHot final : public graph::Elementwise {
 public:
  [[nodiscard]] std::string_view name() const override { return "one_hot"; }
  [[nodiscard]] bool positional() const override { return true; }
  [[nodiscard]] std::uint16_t emit(graph::TapeBuilder& tape, const std::vector<std::uint16_t>& in) const override {
    const auto label = tape.apply(TapeCode::to_int64, in[0]);
    return tape.apply(TapeCode::to_float32, tape.apply(TapeCode::equal, tape.coordinate(1), label));
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }
};

Array one_hot(const Array& labels, const Shape& shape) {
  const Array spread = broadcast_to(reshape(labels, {shape[0], 1}), shape);
  return graph::make_node(std::make_shared<OneHot>(), {spread}, shape, DType::float32);
}

class Row final : public graph::Core {
 public:
  explicit Row(RowKind kind) : kind_(kind) {}
  [[nodiscard]] std::string_view name() const override {
    switch (kind_) {
      case RowKind::softmax: return "softmax";
      case RowKind::log_softmax: return "log_softmax";
      case RowKind::cross_entropy: return "cross_entropy_rows";
      default: return "argmax";
    }
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array& y, const Array& g,
                                       const std::vector<bool>&) const override {
    switch (kind_) {
      case RowKind::softmax: return {y * (g - sum(g * y, 1, true))};
      case RowKind::log_softmax: return {g - exp(y) * sum(g, 1, true)};
      case RowKind::cross_entropy: {
        const Shape& shape = in[0].shape();
        const Array weight = broadcast_to(reshape(g, {shape[0], 1}), shape);
        return {(softmax(in[0]) - one_hot(in[1], shape)) * weight, Array()};
      }
      default: return {Array()};
    }
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape&) const override {
    RowCore core{
        .kind = kind_, .rows = in[0].shape[0], .columns = in[0].shape[1], .input = in[0].access(), .labels = {}};
    if (in.size() > 1) core.labels = in[1].access();
    return core;
  }

 private:
  RowKind kind_;
};

Array row_function(RowKind kind, std::string_view name, const Array& a) {
  graph::require_floating(name, a);
  if (a.dtype() != DType::float32) return astype(row_function(kind, name, astype(a, DType::float32)), a.dtype());
  const Shape& shape = a.shape();
  if (shape.rank() == 0 || shape[shape.rank() - 1] == 0) {
    throw UsageError(fmt::format("[{}] needs rows of at least one element, got shape {}", name, shape.to_string()));
  }
  const std::int64_t columns = shape[shape.rank() - 1];
  const std::int64_t rows = a.size() / columns;
  const Array flat = graph::in_memory(reshape(a, {rows, columns}));
  const auto primitive = std::make_shared<Row>(kind);
  if (kind != RowKind::argmax) {
    return reshape(graph::make_node(primitive, {flat}, Shape{rows, columns}, DType::float32), shape.to_vector());
  }
  std::vector<std::int64_t> extents(shape.extents().begin(), shape.extents().end() - 1);
  return reshape(graph::make_node(primitive, {flat}, Shape{rows}, DType::int64), std::move(extents));
}

}  // namespace

Array softmax(const Array& a) { return row_function(RowKind::softmax, "softmax", a); }
Array log_softmax(const Array& a) { return row_function(RowKind::log_softmax, "log_softmax", a); }

Array graph::last_axis_argmax(const Array& a) { return row_function(RowKind::argmax, "argmax", a); }

Array cross_entropy_rows(const Array& logits, const Array& labels) {
  graph::require("cross_entropy_rows", logits, DType::float32);
  graph::require("cross_entropy_rows", labels, DType::int32);
  if (logits.shape().rank() != 2 || labels.shape() != Shape{logits.shape()[0]} || logits.shape()[1] == 0) {
    throw UsageError(fmt::format("[cross_entropy_rows] logits {} and labels {}: expected (rows, classes) and (rows,)",
                                 logits.shape().to_string(), labels.shape().to_string()));
  }
  return graph::make_node(std::make_shared<Row>(RowKind::cross_entropy),
                          {graph::in_memory(logits), graph::in_memory(labels)}, Shape{logits.shape()[0]},
                          DType::float32);
}

}  // namespace overtake
