// SPDX-License-Identifier: MIT
// Rows by index: take, take_along_axis, take_batch.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::GatherCore;

// Inputs: source (outer, source rows, columns), indices (outer or 1, n, columns or 1), and for batches the batch
// number.
class Gather final : public graph::Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "take"; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>&) const override {
    if (in.size() > 2) {
      throw UsageError("[take_batch] cannot be differentiated by its source", "detach() the source, or use take().");
    }
    return {graph::gathered_gradient(g, in[1], in[0].shape()[1]), Array()};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    GatherCore core{.outer = shape[0],
                    .rows = shape[1],
                    .columns = shape[2],
                    .source_rows = in[0].shape[1],
                    .source = in[0].access(),
                    .indices = in[1].access(),
                    .start = {}};
    for (const std::size_t axis : {std::size_t{0}, std::size_t{2}}) {
      if (in[1].shape[axis] == 1) core.indices.strides[axis] = 0;
    }
    if (in.size() > 2) core.start = in[2].access();
    return core;
  }
};

// int32 and int64 are read as they are.
Array index_values(const Array& indices) {
  const bool direct = indices.dtype() == DType::int32 || indices.dtype() == DType::int64;
  return graph::in_memory(direct ? indices : astype(indices, DType::int64));
}

// `source` (outer, rows, columns), `indices` of three axes.
Array gather(const Array& source, const Array& indices, std::int64_t count, const Array& start = {}) {
  std::vector<Array> inputs{graph::in_memory(source), index_values(indices)};
  if (start.defined()) inputs.push_back(graph::contiguous(graph::in_memory(start)));
  const Shape shape{source.shape()[0], count, source.shape()[2]};
  return graph::make_node(std::make_shared<Gather>(), inputs, shape, source.dtype());
}

}  // namespace

namespace graph {

void check_indices(std::string_view name, const Array& indices) {
  require_defined(name, indices);
  if (!is_integer(indices.dtype())) {
    throw UsageError(fmt::format("[{}] indices are {}, expected whole numbers", name, name_of(indices.dtype())),
                     "Convert them with astype(), to int64 say.");
  }
}

Shape taken_shape(const Shape& shape, std::size_t axis, const Shape& indices) {
  const auto place = static_cast<std::ptrdiff_t>(axis);
  std::vector<std::int64_t> extents(shape.extents().begin(), shape.extents().begin() + place);
  extents.insert(extents.end(), indices.extents().begin(), indices.extents().end());
  extents.insert(extents.end(), shape.extents().begin() + place + 1, shape.extents().end());
  return Shape(std::move(extents));
}

Array three_axes(const Array& a, std::size_t axis) {
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= a.shape()[i];
  for (std::size_t i = axis + 1; i < a.shape().rank(); ++i) inner *= a.shape()[i];
  return reshape(a, {outer, a.shape()[axis], inner});
}

Array gathered(const Array& source, const Array& indices) { return gather(source, indices, indices.shape()[1]); }

Array taken_along(const Array& a, const Array& indices, std::size_t axis) {
  // Axes but the chosen one broadcast.
  std::vector<std::int64_t> beside = a.shape().to_vector(), which = indices.shape().to_vector();
  beside[axis] = which[axis] = 1;
  std::vector<std::int64_t> common = broadcast_shapes(Shape(beside), Shape(which)).to_vector();
  std::vector<std::int64_t> from = common, to = common;
  from[axis] = a.shape()[axis];
  to[axis] = indices.shape()[axis];
  const Shape shape(to);
  if (shape.size() == 0) return zeros(shape, a.dtype(), a.device());
  const Array source = three_axes(broadcast_to(a, Shape(from)), axis);
  return reshape(gather(source, three_axes(broadcast_to(indices, shape), axis), shape[axis]), to);
}

Array taken(const Array& a, const Array& indices, std::size_t axis) {
  const Shape& given = indices.shape();
  const Shape shape = taken_shape(a.shape(), axis, given);
  if (shape.size() == 0) return zeros(shape, a.dtype(), a.device());
  const Array source = three_axes(a, axis);
  return reshape(gather(source, reshape(indices, {1, given.size(), 1}), given.size()), shape.to_vector());
}

}  // namespace graph

Array take(const Array& a, const Array& indices, int axis) {
  graph::require_defined("take", a);
  graph::check_indices("take", indices);
  const std::size_t chosen = graph::checked_axis("take", axis, a.shape());
  graph::check_places("take", indices, chosen, a.shape());
  return graph::taken(a, indices, chosen);
}

Array take_along_axis(const Array& a, const Array& indices, int axis) {
  graph::require_defined("take_along_axis", a);
  graph::check_indices("take_along_axis", indices);
  const std::size_t chosen = graph::checked_axis("take_along_axis", axis, a.shape());
  if (indices.shape().rank() != a.shape().rank()) {
    throw UsageError(
        fmt::format("[take_along_axis] an array of shape {} and indices of shape {}: expected as many axes",
                    a.shape().to_string(), indices.shape().to_string()));
  }
  graph::check_places("take_along_axis", indices, chosen, a.shape());
  return graph::taken_along(a, indices, chosen);
}

Array take_batch(const Array& a, const Array& indices, const Array& start, std::int64_t count) {
  graph::require_defined("take_batch", a);
  graph::check_indices("take_batch", indices);
  graph::require("take_batch", start, DType::int32);
  if (a.shape().rank() == 0 || indices.shape().rank() != 1) {
    throw UsageError(fmt::format("[take_batch] source {} and indices {}: expected (rows, ...) and (n,)",
                                 a.shape().to_string(), indices.shape().to_string()));
  }
  if (start.size() != 1 || count < 1 || count > indices.size()) {
    throw UsageError(fmt::format("[take_batch] {} rows of {} indices, batch number of shape {}", count, indices.size(),
                                 start.shape().to_string()));
  }
  std::vector<std::int64_t> extents = a.shape().to_vector();
  extents[0] = count;
  return reshape(gather(graph::three_axes(a, 0), reshape(indices, {1, indices.size(), 1}), count, start),
                 std::move(extents));
}

}  // namespace overtake
