// SPDX-License-Identifier: MIT
// argsort, sort, topk, searchsorted.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::SearchCore;
using backend::SortCore;

// (outer, n, inner) -> places along the middle axis.
class Order final : public graph::Core {
 public:
  explicit Order(bool descending) : descending_(descending) {}
  [[nodiscard]] std::string_view name() const override { return "argsort"; }
  void sign(graph::Signature& signature) const override { signature.add(std::uint64_t{descending_ ? 1U : 0U}); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    return SortCore{
        .descending = descending_, .outer = shape[0], .n = shape[1], .inner = shape[2], .input = in[0].access()};
  }
  [[nodiscard]] Epilogue epilogue() const override { return Epilogue::none; }

 private:
  bool descending_;
};

// The values in that order. No places move with them: half the bytes.
class Sorted final : public graph::Core {
 public:
  explicit Sorted(bool descending) : descending_(descending) {}
  [[nodiscard]] std::string_view name() const override { return "sort"; }
  void sign(graph::Signature& signature) const override { signature.add(std::uint64_t{descending_ ? 1U : 0U}); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& cotangent,
                                       const std::vector<bool>&) const override {
    return {graph::gathered_gradient(cotangent, graph::sorted_order(in[0], descending_), in[0].shape()[1])};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    return SortCore{.descending = descending_,
                    .values = true,
                    .outer = shape[0],
                    .n = shape[1],
                    .inner = shape[2],
                    .input = in[0].access()};
  }
  [[nodiscard]] Epilogue epilogue() const override { return Epilogue::none; }

 private:
  bool descending_;
};

// Inputs: values (m), sorted (n), and perhaps the order of the latter.
class Search final : public graph::Core {
 public:
  explicit Search(bool right) : right_(right) {}
  [[nodiscard]] std::string_view name() const override { return "searchsorted"; }
  void sign(graph::Signature& signature) const override { signature.add(std::uint64_t{right_ ? 1U : 0U}); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return std::vector<Array>(in.size());
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape& shape) const override {
    SearchCore core{.right = right_,
                    .count = shape[0],
                    .n = in[1].shape[0],
                    .values = in[0].access(),
                    .sorted = in[1].access(),
                    .order = {}};
    if (in.size() > 2) core.order = in[2].access();
    return core;
  }

 private:
  bool right_;
};

}  // namespace

namespace graph {

Array sorted_order(const Array& a, bool descending) {
  return make_node(std::make_shared<Order>(descending), {in_memory(a)}, a.shape(), DType::int64);
}

Array search(const Array& sorted, const Array& values, bool right, const Array& order) {
  std::vector<Array> inputs{in_memory(values), in_memory(sorted)};
  if (order.defined()) inputs.push_back(in_memory(order));
  return make_node(std::make_shared<Search>(right), inputs, values.shape(), DType::int64);
}

}  // namespace graph

Array argsort(const Array& a, int axis, bool descending) {
  graph::require_defined("argsort", a);
  const std::size_t chosen = graph::checked_axis("argsort", axis, a.shape());
  if (a.size() == 0) return zeros(a.shape(), DType::int64, a.device());
  return reshape(graph::sorted_order(graph::three_axes(a, chosen), descending), a.shape().to_vector());
}

Array sort(const Array& a, int axis, bool descending) {
  graph::require_defined("sort", a);
  const std::size_t chosen = graph::checked_axis("sort", axis, a.shape());
  if (a.size() == 0) return a;
  const Array flat = graph::three_axes(a, chosen);
  const Array sorted =
      graph::make_node(std::make_shared<Sorted>(descending), {graph::in_memory(flat)}, flat.shape(), flat.dtype());
  return reshape(sorted, a.shape().to_vector());
}

TopK topk(const Array& a, std::int64_t k, int axis, bool largest) {
  graph::require_defined("topk", a);
  const std::size_t chosen = graph::checked_axis("topk", axis, a.shape());
  if (k < 0 || k > a.shape()[chosen]) {
    throw UsageError(fmt::format("[topk] k = {} along axis {} of an array of shape {}", k, axis, a.shape().to_string()),
                     fmt::format("k goes from 0 to {}.", a.shape()[chosen]));
  }
  const int place = static_cast<int>(chosen);
  const Array order = slice(argsort(a, place, largest), 0, k, place);
  return {graph::taken_along(a, order, chosen), order};
}

Array searchsorted(const Array& sorted, const Array& values, SearchSide side, const std::optional<Array>& sorter) {
  graph::require_defined("searchsorted", sorted);
  graph::require_defined("searchsorted", values);
  if (sorted.shape().rank() != 1) {
    throw UsageError(
        fmt::format("[searchsorted] sorted values of shape {}: expected one axis", sorted.shape().to_string()));
  }
  Array order;
  if (sorter) {
    graph::require_defined("searchsorted", *sorter);
    if (sorter->shape() != sorted.shape() || !is_integer(sorter->dtype())) {
      throw UsageError(
          fmt::format("[searchsorted] a sorter of {} {} for {} sorted values: expected as many whole numbers",
                      name_of(sorter->dtype()), sorter->shape().to_string(), sorted.size()),
          "argsort() gives one.");
    }
  }
  if (values.size() == 0 || sorted.size() == 0) return zeros(values.shape(), DType::int64, values.device());
  // Whatever it holds, nothing outside the values is read.
  if (sorter) order = minimum(maximum(graph::as_type(*sorter, DType::int64), 0), sorted.size() - 1);
  const DType dtype = graph::common_type("searchsorted", std::vector<Array>{sorted, values});
  const Array flat = reshape(graph::as_type(values, dtype), {values.size()});
  const Array places = graph::search(graph::as_type(sorted, dtype), flat, side == SearchSide::right, order);
  return reshape(places, values.shape().to_vector());
}

}  // namespace overtake
