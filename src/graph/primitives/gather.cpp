// SPDX-License-Identifier: MIT
// Rows by index: take, take_batch.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::GatherCore;

// Inputs: source (rows, columns), indices (n,), and for batches the batch number (1,).
class Gather final : public graph::Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "take"; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    throw UsageError("[take] cannot be differentiated by its source",
                     "detach() the source, or express the selection as a product with a one-hot matrix.");
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    GatherCore core{.rows = shape[0],
                    .columns = shape[1],
                    .source_rows = in[0].shape[0],
                    .source = in[0].access(),
                    .indices = in[1].access(),
                    .start = {}};
    if (in.size() > 2) core.start = in[2].access();
    return core;
  }
};

void check_source(std::string_view name, const Array& a, const Array& indices) {
  graph::require(name, a, a.defined() ? a.dtype() : DType::float32);
  graph::require(name, indices, DType::int32);
  if (a.shape().rank() == 0 || indices.shape().rank() != 1) {
    throw UsageError(fmt::format("[{}] source {} and indices {}: expected (rows, ...) and (n,)", name,
                                 a.shape().to_string(), indices.shape().to_string()));
  }
}

Array gather(const Array& a, const std::vector<Array>& selection, std::int64_t count) {
  std::vector<std::int64_t> extents = a.shape().extents();
  const std::int64_t rows = extents[0];
  extents[0] = count;
  const std::int64_t columns = rows == 0 ? 1 : a.size() / rows;
  std::vector<Array> inputs{graph::contiguous(graph::in_memory(reshape(a, {rows, columns})))};
  for (const Array& each : selection) inputs.push_back(graph::contiguous(graph::in_memory(each)));
  return reshape(graph::make_node(std::make_shared<Gather>(), inputs, Shape{count, columns}, a.dtype()),
                 std::move(extents));
}

}  // namespace

Array take(const Array& a, const Array& indices) {
  check_source("take", a, indices);
  return gather(a, {indices}, indices.size());
}

Array take_batch(const Array& a, const Array& indices, const Array& start, std::int64_t count) {
  check_source("take_batch", a, indices);
  graph::require("take_batch", start, DType::int32);
  if (start.size() != 1 || count < 1 || count > indices.size()) {
    throw UsageError(fmt::format("[take_batch] {} rows of {} indices, batch number of shape {}", count, indices.size(),
                                 start.shape().to_string()));
  }
  return gather(a, {indices, start}, count);
}

}  // namespace overtake
