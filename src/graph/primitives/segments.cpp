// SPDX-License-Identifier: MIT
// Sums of rows by index, and what they are for: index_add, index_put, the gradient of take().
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::SegmentSumCore;

// Inputs: values (outer, n, columns), order (n), starts (rows + 1), and, for the gradient alone, ids (n).
class SegmentSum final : public graph::Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "segment_sum"; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array& y, const Array& g,
                                       const std::vector<bool>&) const override {
    const Array ids = reshape(graph::as_type(in[3], DType::int64), {1, in[3].size(), 1});
    return {where(less(ids, y.shape()[1]), graph::gathered(g, ids), 0), Array(), Array(), Array()};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    return SegmentSumCore{.outer = shape[0],
                          .rows = shape[1],
                          .columns = shape[2],
                          .given = in[0].shape[1],
                          .values = in[0].access(),
                          .order = in[1].access(),
                          .starts = in[2].access()};
  }
};

struct Scattering {
  std::size_t axis = 0;
  Array into;     // (outer, rows, columns)
  Array values;   // (outer, n, columns)
  Array indices;  // (n)
};

// Checks and brings everything into three axes; there is something to scatter, unless `values` has no elements.
Scattering scattering(std::string_view name, const Array& a, int axis, const Array& indices, const Array& values) {
  graph::require_defined(name, a);
  graph::require_defined(name, values);
  graph::check_indices(name, indices);
  Scattering result;
  result.axis = graph::checked_axis(name, axis, a.shape());
  const Shape expected = graph::taken_shape(a.shape(), result.axis, indices.shape());
  if (broadcast_shapes(expected, values.shape()) != expected) {
    throw UsageError(fmt::format("[{}] values of shape {} for {} indices of shape {} along axis {} of {}", name,
                                 values.shape().to_string(), indices.size(), indices.shape().to_string(), axis,
                                 a.shape().to_string()),
                     fmt::format("Expected a shape that broadcasts to {}.", expected.to_string()));
  }
  graph::check_places(name, indices, result.axis, a.shape());
  result.into = graph::three_axes(a, result.axis);
  const Shape& flat = result.into.shape();
  const Array spread = broadcast_to(graph::as_type(values, a.dtype()), expected);
  result.values = reshape(spread, {flat[0], indices.size(), flat[2]});
  result.indices = reshape(indices, {indices.size()});
  return result;
}

}  // namespace

namespace graph {

DType id_type(std::int64_t largest) {
  constexpr std::int64_t most_in_8_bits = 0xff, most_in_16_bits = 0xffff, most_in_32_bits = 0xffffffff;
  if (largest <= most_in_8_bits) return DType::uint8;
  if (largest <= most_in_16_bits) return DType::uint16;
  return largest <= most_in_32_bits ? DType::uint32 : DType::uint64;
}

Segments segments_of(const Array& ids, std::int64_t rows) {
  const DType type = id_type(rows);
  Segments result{.ids = as_type(ids, type), .order = {}, .starts = {}, .rows = rows};
  const std::int64_t n = ids.size();
  result.order = reshape(sorted_order(reshape(result.ids, {1, n, 1}), false), {n});
  result.starts = search(result.ids, as_type(arange(rows + 1, DType::int64, ids.device()), type), false, result.order);
  return result;
}

Array ids_of(const Array& indices, std::int64_t rows) {
  const Array given = as_type(indices, DType::int64);
  const Array counted = where(less(given, 0), given + rows, given);
  return where(logical_and(greater_equal(counted, 0), less(counted, rows)), counted, rows);
}

Array segment_sum(const Array& values, const Segments& segments) {
  const Shape shape{values.shape()[0], segments.rows, values.shape()[2]};
  const DType computed = backend::dtype_of_value(backend::value_type_of(values.dtype()));
  const Array sums =
      make_node(std::make_shared<SegmentSum>(),
                {in_memory(as_type(values, computed)), segments.order, segments.starts, segments.ids}, shape, computed);
  return as_type(sums, values.dtype());
}

Array gathered_gradient(const Array& cotangent, const Array& indices, std::int64_t rows) {
  const std::int64_t outer = cotangent.shape()[0], n = cotangent.shape()[1], columns = cotangent.shape()[2];
  const bool by_outer = indices.shape()[0] != 1, by_column = indices.shape()[2] != 1;
  if (!by_outer && !by_column) {
    const Segments segments = segments_of(ids_of(reshape(indices, {n}), rows), rows);
    return segment_sum(cotangent, segments);
  }
  // Indices that differ along other axes, too, become indices into all of these axes as one.
  const Shape shape{outer, n, by_column ? columns : 1};
  const Array row = broadcast_to(ids_of(indices, rows), shape);
  Array id = row + coordinates(shape, 0, cotangent.device()) * rows;
  if (by_column) id = id * columns + coordinates(shape, 2, cotangent.device());
  const std::int64_t all = outer * rows * shape[2];
  const Array ids = reshape(where(less(row, rows), id, all), {shape.size()});
  const Array values = reshape(cotangent, {1, shape.size(), by_column ? 1 : columns});
  return reshape(segment_sum(values, segments_of(ids, all)), {outer, rows, columns});
}

}  // namespace graph

Array index_add(const Array& a, int axis, const Array& indices, const Array& values) {
  const Scattering all = scattering("index_add", a, axis, indices, values);
  if (a.dtype() == DType::boolean) {
    throw UsageError("[index_add] of bool", "Use index_put(), or convert with astype().");
  }
  if (all.values.size() == 0 || a.size() == 0) return a;
  const std::int64_t rows = all.into.shape()[1];
  // Half precision is added up in float32 and rounded once.
  const DType computed = is_floating(a.dtype()) && size_of(a.dtype()) < sizeof(float) ? DType::float32 : a.dtype();
  const Array sums = graph::segment_sum(graph::as_type(all.values, computed),
                                        graph::segments_of(graph::ids_of(all.indices, rows), rows));
  return reshape(graph::as_type(graph::as_type(all.into, computed) + sums, a.dtype()), a.shape().to_vector());
}

Array index_put(const Array& a, int axis, const Array& indices, const Array& values) {
  const Scattering all = scattering("index_put", a, axis, indices, values);
  if (all.values.size() == 0 || a.size() == 0) return a;
  const std::int64_t rows = all.into.shape()[1];
  const graph::Segments segments = graph::segments_of(graph::ids_of(all.indices, rows), rows);
  const Array begin = slice(segments.starts, 0, rows), end = slice(segments.starts, 1, {});
  const Array last = graph::taken(segments.order, maximum(end - 1, 0));
  const Array chosen = graph::gathered(all.values, reshape(last, {1, rows, 1}));
  const Array put = where(reshape(less(begin, end), {1, rows, 1}), chosen, all.into);
  return reshape(put, a.shape().to_vector());
}

}  // namespace overtake
