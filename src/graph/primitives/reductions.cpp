// SPDX-License-Identifier: MIT
// sum, mean, max, min over all elements or one axis.
#include <fmt/format.h>

#include "graph/node.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::ReduceCore;
using backend::ReduceKind;

std::string_view name_of_kind(ReduceKind kind) {
  if (kind == ReduceKind::sum) return "sum";
  return kind == ReduceKind::max ? "max" : "min";
}

// (outer, reduced, inner) -> (outer, inner)
class Reduce final : public graph::Core {
 public:
  explicit Reduce(ReduceKind kind) : kind_(kind) {}
  [[nodiscard]] std::string_view name() const override { return name_of_kind(kind_); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array& y, const Array& g,
                                       const std::vector<bool>&) const override {
    const Shape& from = in[0].shape();
    const auto spread = [&](const Array& a) { return broadcast_to(reshape(a, {from[0], 1, from[2]}), from); };
    if (kind_ == ReduceKind::sum) return {spread(g)};
    // Equal extremes share the gradient, as PyTorch's amax and amin do.
    const Array chosen = equal(in[0], spread(y));
    const Array count = reshape(sum(chosen, 1), {from[0], from[2]});
    return {chosen * spread(g / count)};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape&) const override {
    ReduceCore core{
        .kind = kind_, .outer = in[0].shape[0], .reduced = in[0].shape[1], .inner = in[0].shape[2], .input = {}};
    graph::TapeBuilder tape(core.input);
    (void)tape.load(in[0].access());
    return core;
  }
  [[nodiscard]] bool computes_its_input() const override { return true; }

 private:
  ReduceKind kind_;
};

Array reduce(ReduceKind kind, const Array& a, std::optional<int> axis, bool keepdims) {
  const std::string_view name = name_of_kind(kind);
  graph::require(name, a, DType::float32);
  const Shape& shape = a.shape();
  const int rank = static_cast<int>(shape.rank());
  if (axis && (*axis < -rank || *axis >= rank)) {
    throw UsageError(fmt::format("[{}] axis {} of an array of shape {}", name, *axis, shape.to_string()));
  }
  const int chosen = axis ? (*axis + rank) % rank : 0;
  std::int64_t outer = 1, reduced = a.size(), inner = 1;
  if (axis) {
    for (int i = 0; i < chosen; ++i) outer *= shape[static_cast<std::size_t>(i)];
    reduced = shape[static_cast<std::size_t>(chosen)];
    for (int i = chosen + 1; i < rank; ++i) inner *= shape[static_cast<std::size_t>(i)];
  }
  if (reduced == 0 && kind != ReduceKind::sum) {
    throw UsageError(fmt::format("[{}] of no elements: shape {}", name, shape.to_string()));
  }
  std::vector<std::int64_t> extents;
  for (int i = 0; i < rank; ++i) {
    const bool gone = !axis || i == chosen;
    if (!gone || keepdims) extents.push_back(gone ? 1 : shape[static_cast<std::size_t>(i)]);
  }
  if (reduced == 0) return full(Shape(std::move(extents)), 0, a.device());
  const Array flat = reshape(a, {outer, reduced, inner});
  return reshape(graph::make_node(std::make_shared<Reduce>(kind), {flat}, Shape{outer, inner}, DType::float32),
                 std::move(extents));
}

}  // namespace

Array sum(const Array& a, std::optional<int> axis, bool keepdims) { return reduce(ReduceKind::sum, a, axis, keepdims); }
Array max(const Array& a, std::optional<int> axis, bool keepdims) { return reduce(ReduceKind::max, a, axis, keepdims); }
Array min(const Array& a, std::optional<int> axis, bool keepdims) { return reduce(ReduceKind::min, a, axis, keepdims); }

Array mean(const Array& a, std::optional<int> axis, bool keepdims) {
  const Array total = sum(a, axis, keepdims);
  const std::int64_t count = total.size() == 0 ? 1 : a.size() / total.size();
  if (count == 0) throw UsageError(fmt::format("[mean] of no elements: shape {}", a.shape().to_string()));
  return total * (1.0F / static_cast<float>(count));
}

}  // namespace overtake
