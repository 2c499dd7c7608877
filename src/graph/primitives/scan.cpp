// SPDX-License-Identifier: MIT
// cumulative_sum, cumulative_prod.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::ReduceKind;
using backend::ScanCore;

Array scanned(ReduceKind kind, const Array& a);

// An element that is not 0 takes part in all products from its place on, which hold it as a factor. The first 0 of a
// row takes part in products that are 0: those without it are multiplied anew. What comes after it has no part in
// anything.
template <typename FromTheEnd>
Array product_gradient(const Array& x, const Array& y, const Array& g, const FromTheEnd& from_the_end) {
  const Array is_zero = equal(x, 0);
  const Array zeros_so_far = scanned(ReduceKind::sum, astype(is_zero, DType::int32));
  const Array first = logical_and(is_zero, equal(zeros_so_far, 1));
  const Array without = scanned(ReduceKind::product, where(first, 1, x));
  const Array usual = from_the_end(g * y) / where(is_zero, 1, x);
  return where(first, from_the_end(g * without), where(equal(zeros_so_far, 0), usual, 0));
}

// (outer, n, inner), of a type that registers hold.
class Scan final : public graph::Core {
 public:
  explicit Scan(ReduceKind kind) : kind_(kind) {}
  [[nodiscard]] std::string_view name() const override {
    return kind_ == ReduceKind::sum ? "cumulative_sum" : "cumulative_prod";
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array& y, const Array& g,
                                       const std::vector<bool>&) const override {
    const auto from_the_end = [](const Array& a) {
      const std::vector<int> middle{1};
      return flip(scanned(ReduceKind::sum, flip(a, middle)), middle);
    };
    if (kind_ == ReduceKind::sum) return {from_the_end(g)};
    return {product_gradient(in[0], y, g, from_the_end)};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    return ScanCore{.kind = kind_, .outer = shape[0], .n = shape[1], .inner = shape[2], .input = in[0].access()};
  }
  [[nodiscard]] Epilogue epilogue() const override { return Epilogue::none; }

 private:
  ReduceKind kind_;
};

Array scanned(ReduceKind kind, const Array& a) {
  return graph::make_node(std::make_shared<Scan>(kind), {graph::in_memory(a)}, a.shape(), a.dtype());
}

// With a first element along the axis that is `value`.
Array with_first(const Array& a, std::size_t axis, int value) {
  std::vector<std::int64_t> extents = a.shape().to_vector();
  extents[axis] = 1;
  return concat({full(Shape(extents), value, a.dtype(), a.device()), a}, static_cast<int>(axis));
}

Array cumulative(std::string_view name, ReduceKind kind, const Array& a, std::optional<int> axis,
                 std::optional<DType> dtype, bool include_initial) {
  graph::require_defined(name, a);
  if (!axis && a.shape().rank() != 1) {
    throw UsageError(
        fmt::format("[{}] an array of shape {} and no axis: expected one axis", name, a.shape().to_string()),
        "Name the axis, or reshape(a, {-1}) first.");
  }
  const std::size_t chosen = graph::checked_axis(name, axis.value_or(0), a.shape());
  const DType type = graph::adding_type(a.dtype(), dtype);
  const Array x = graph::as_type(a, type);
  Array result = x;
  if (a.size() > 0) {
    const DType computed = backend::dtype_of_value(backend::value_type_of(type));
    const Array flat = graph::three_axes(graph::as_type(x, computed), chosen);
    result = graph::as_type(reshape(scanned(kind, flat), a.shape().to_vector()), type);
  }
  return include_initial ? with_first(result, chosen, kind == ReduceKind::sum ? 0 : 1) : result;
}

}  // namespace

Array cumulative_sum(const Array& a, std::optional<int> axis, std::optional<DType> dtype, bool include_initial) {
  return cumulative("cumulative_sum", ReduceKind::sum, a, axis, dtype, include_initial);
}
Array cumulative_prod(const Array& a, std::optional<int> axis, std::optional<DType> dtype, bool include_initial) {
  return cumulative("cumulative_prod", ReduceKind::product, a, axis, dtype, include_initial);
}

}  // namespace overtake
