// SPDX-License-Identifier: MIT
// sum, prod, max, min, any, all, mean, var, std, norm, argmax, argmin over any axes.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rows.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::ReduceCore;
using backend::ReduceKind;

std::string_view name_of_kind(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::sum: return "sum";
    case ReduceKind::product: return "prod";
    case ReduceKind::max: return "max";
    case ReduceKind::min: break;
  }
  return "min";
}

// (outer, reduced, inner) -> (outer * chunks, inner)
class Reduce final : public graph::Core {
 public:
  Reduce(ReduceKind kind, std::int64_t chunk) : kind_(kind), chunk_(chunk) {}
  [[nodiscard]] std::string_view name() const override { return name_of_kind(kind_); }
  void sign(graph::Signature& signature) const override { signature.add(static_cast<std::uint64_t>(chunk_)); }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array& y, const Array& g,
                                       const std::vector<bool>&) const override {
    const Shape& from = in[0].shape();
    const auto spread = [&](const Array& a) { return this->spread(a, from); };
    if (kind_ == ReduceKind::sum) return {spread(g)};
    if (kind_ == ReduceKind::product) return {spread(g) * product_of_others(in[0])};
    // Equal extremes share the gradient, as PyTorch's amax and amin do.
    const Array chosen = astype(equal(in[0], spread(y)), g.dtype());
    const std::int64_t outer = y.shape()[0];
    const Array count =
        graph::make_node(std::make_shared<Reduce>(ReduceKind::sum, chunk_), {chosen}, Shape{outer, from[2]}, g.dtype());
    return {chosen * spread(g / count)};
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>& in, const Shape&) const override {
    ReduceCore core{.kind = kind_,
                    .outer = in[0].shape[0],
                    .reduced = in[0].shape[1],
                    .inner = in[0].shape[2],
                    .chunk = chunk_,
                    .input = {}};
    graph::TapeBuilder tape(core.input);
    (void)tape.load(in[0].access());
    return core;
  }
  [[nodiscard]] bool computes_its_input() const override { return true; }

 private:
  // (outer * chunks, inner) back to (outer, reduced, inner).
  [[nodiscard]] Array spread(const Array& a, const Shape& to) const {
    const std::int64_t chunks = chunk_ == 0 ? 1 : (to[1] + chunk_ - 1) / chunk_;
    if (chunks == 1) return broadcast_to(reshape(a, {to[0], 1, to[2]}), to);
    const Array stretched = broadcast_to(reshape(a, {to[0], chunks, 1, to[2]}), Shape{to[0], chunks, chunk_, to[2]});
    return slice(reshape(stretched, {to[0], chunks * chunk_, to[2]}), 0, to[1], 1);
  }

  // Of each element, the product of the others that are multiplied with it: what comes before times what comes after,
  // so that nothing is divided by an element that is 0.
  [[nodiscard]] Array product_of_others(const Array& x) const {
    const std::int64_t outer = x.shape()[0], reduced = x.shape()[1], inner = x.shape()[2];
    const std::int64_t chunk = chunk_ == 0 ? reduced : chunk_;
    const std::int64_t chunks = (reduced + chunk - 1) / chunk;
    const Array padded = pad(x, {{0, 0}, {0, chunks * chunk - reduced}, {0, 0}}, 1);
    const Array parts = reshape(padded, {outer * chunks, chunk, inner});
    const auto before = [&](const Array& a) { return slice(cumulative_prod(a, 1, {}, true), 0, chunk, 1); };
    const std::vector<int> along{1};
    const Array others = before(parts) * flip(before(flip(parts, along)), along);
    return slice(reshape(others, {outer, chunks * chunk, inner}), 0, reduced, 1);
  }

  ReduceKind kind_;
  std::int64_t chunk_;
};

// `flat` is (outer, reduced, inner) with something to reduce; the result is (outer, inner).
Array reduce_middle(ReduceKind kind, const Array& flat) {
  const std::int64_t outer = flat.shape()[0], reduced = flat.shape()[1], inner = flat.shape()[2];
  const std::int64_t length = backend::chunk_length(inner);
  if (reduced <= length) {
    return graph::make_node(std::make_shared<Reduce>(kind, 0), {flat}, Shape{outer, inner}, flat.dtype());
  }
  const std::int64_t chunks = (reduced + length - 1) / length;
  const Array partial =
      graph::make_node(std::make_shared<Reduce>(kind, length), {flat}, Shape{outer * chunks, inner}, flat.dtype());
  return reduce_middle(kind, reshape(partial, {outer, chunks, inner}));
}

// Which axes go; all of them when none is named.
std::vector<bool> marked_axes(std::string_view name, const Axes& axes, const Shape& shape) {
  if (!axes) return std::vector<bool>(shape.rank(), true);
  std::vector<bool> gone(shape.rank(), false);
  for (const int axis : *axes) {
    const std::size_t chosen = graph::checked_axis(name, axis, shape);
    if (gone[chosen]) throw UsageError(fmt::format("[{}] axis {} is named twice", name, axis));
    gone[chosen] = true;
  }
  return gone;
}

Shape reduced_shape(const Shape& shape, const std::vector<bool>& gone, bool keepdims) {
  std::vector<std::int64_t> extents;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (!gone[axis] || keepdims) extents.push_back(gone[axis] ? 1 : shape[axis]);
  }
  return Shape(std::move(extents));
}

// Runs of neighbouring axes are reduced one after the other, the last run first.
Array reduce_runs(ReduceKind kind, const Array& a, const std::vector<bool>& gone) {
  Array result = a;
  std::vector<std::int64_t> extents = a.shape().to_vector();
  for (std::size_t end = extents.size(); end > 0;) {
    if (!gone[end - 1]) {
      --end;
      continue;
    }
    std::size_t begin = end - 1;
    while (begin > 0 && gone[begin - 1]) --begin;
    std::int64_t outer = 1, reduced = 1, inner = 1;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      (axis < begin ? outer : axis < end ? reduced : inner) *= extents[axis];
    }
    result = reduce_middle(kind, reshape(result, {outer, reduced, inner}));
    for (std::size_t axis = begin; axis < end; ++axis) extents[axis] = 1;
    end = begin;
  }
  return result;
}

// Of a type that registers hold; narrower ones are widened first and the result is converted back.
Array reduce(std::string_view name, ReduceKind kind, const Array& a, const Axes& axes, bool keepdims) {
  const std::vector<bool> gone = marked_axes(name, axes, a.shape());
  const Shape shape = reduced_shape(a.shape(), gone, keepdims);
  std::int64_t reduced = 1;
  for (std::size_t axis = 0; axis < gone.size(); ++axis) reduced *= gone[axis] ? a.shape()[axis] : 1;
  if (reduced == 0 && kind != ReduceKind::sum && kind != ReduceKind::product) {
    throw UsageError(fmt::format("[{}] of no elements: shape {}", name, a.shape().to_string()),
                     "An extreme needs at least one element.");
  }
  if (shape.size() == 0 || reduced == 0) {
    return full(shape, kind == ReduceKind::product ? 1 : 0, a.dtype(), a.device());
  }
  if (std::none_of(gone.begin(), gone.end(), std::identity())) return a;
  const DType computed = backend::dtype_of_value(backend::value_type_of(a.dtype()));
  const Array result = reduce_runs(kind, graph::as_type(a, computed), gone);
  return graph::as_type(reshape(result, shape.to_vector()), a.dtype());
}

std::int64_t reduced_count(const Array& a, const Array& result) {
  return result.size() == 0 ? 1 : a.size() / result.size();
}

Array floating(const Array& a) { return is_floating(a.dtype()) ? a : graph::as_type(a, DType::float32); }

// Half precision is added up in float32.
Array mean_in(std::string_view name, const Array& a, const Axes& axes, bool keepdims) {
  const Array total = reduce(name, ReduceKind::sum, a, axes, keepdims);
  const std::int64_t count = reduced_count(a, total);
  if (count == 0 && total.size() > 0) return total / 0.0F;  // NaN, as NumPy
  return total * (1.0 / static_cast<double>(std::max<std::int64_t>(count, 1)));
}

Array widened(const Array& a) { return size_of(a.dtype()) < sizeof(float) ? astype(a, DType::float32) : a; }

Array extreme(std::string_view name, ReduceKind kind, const Array& a, const Axes& axes, bool keepdims) {
  graph::require_defined(name, a);
  return reduce(name, kind, a, axes, keepdims);
}

// The first place along one axis that holds the extreme, or a NaN where there is one. Looks at everything twice.
Array place_of_extreme(std::string_view name, ReduceKind kind, const Array& a, int axis, bool keepdims) {
  const std::int64_t extent = a.shape()[static_cast<std::size_t>(axis)];
  const Array top = reduce(name, kind, a, Axes(axis), true);
  Array found = equal(a, top);
  if (is_floating(a.dtype())) found = logical_or(found, not_equal(a, a));
  std::vector<std::int64_t> along(a.shape().rank(), 1);
  along[static_cast<std::size_t>(axis)] = extent;
  const Array place = reshape(arange(extent, DType::int64, a.device()), along);
  return reduce(name, ReduceKind::min, where(found, place, extent), Axes(axis), keepdims);
}

constexpr std::int64_t long_row_chunk = 1 << 14;

// The same for a long row, looking at all of it once: the extremes of chunks, then the first chunk that has the
// extreme, then the place in it. What does not fill a chunk is looked at apart.
Array place_in_long_row(std::string_view name, ReduceKind kind, const Array& row) {
  const std::int64_t length = long_row_chunk, chunks = row.size() / length;
  const Array head = reshape(slice(row, 0, chunks * length), {chunks, length});
  const Array tops = reduce(name, kind, head, Axes(1), false);
  const Array chunk = place_of_extreme(name, kind, tops, 0, true);
  Array place = chunk * length + place_of_extreme(name, kind, reshape(graph::taken(head, chunk), {length}), 0, true);
  if (chunks * length == row.size()) return place;
  const Array rest = slice(row, chunks * length, row.size());
  const Array rest_top = reduce(name, kind, rest, Axes(0), true), top = reduce(name, kind, tops, Axes(0), true);
  Array is_rest = kind == ReduceKind::max ? greater(rest_top, top) : less(rest_top, top);
  if (is_floating(row.dtype()))
    is_rest = logical_or(is_rest, logical_and(equal(top, top), not_equal(rest_top, rest_top)));
  return where(is_rest, chunks * length + place_of_extreme(name, kind, rest, 0, true), place);
}

Array arg_extreme(std::string_view name, ReduceKind kind, const Array& a, std::optional<int> axis, bool keepdims) {
  graph::require_defined(name, a);
  const Array flat = axis ? a : reshape(a, {a.size()});
  const auto chosen = static_cast<int>(axis ? graph::checked_axis(name, *axis, a.shape()) : 0);
  const std::int64_t extent = flat.shape()[static_cast<std::size_t>(chosen)];
  if (extent == 0) throw UsageError(fmt::format("[{}] of no elements: shape {}", name, a.shape().to_string()));
  const bool last = chosen + 1 == static_cast<int>(flat.shape().rank());
  Array result;
  constexpr std::int64_t most_in_a_row = 65536;  // one group of work-items scans a row
  if (kind == ReduceKind::max && last && flat.dtype() == DType::float32 && extent <= most_in_a_row) {
    result = graph::last_axis_argmax(flat);
    if (keepdims) result = expand_dims(result, chosen);
  } else if (extent == flat.size() && extent >= 4 * long_row_chunk) {
    result = place_in_long_row(name, kind, reshape(flat, {extent}));
    result = reshape(result, std::vector<std::int64_t>(flat.shape().rank() - (keepdims ? 0 : 1), 1));
  } else {
    result = place_of_extreme(name, kind, flat, chosen, keepdims);
  }
  if (axis || !keepdims) return axis ? result : reshape(result, {});
  return reshape(result, std::vector<std::int64_t>(a.shape().rank(), 1));
}

}  // namespace

Array sum(const Array& a, const Axes& axes, bool keepdims, std::optional<DType> dtype) {
  graph::require_defined("sum", a);
  return reduce("sum", ReduceKind::sum, graph::as_type(a, graph::adding_type(a.dtype(), dtype)), axes, keepdims);
}
Array prod(const Array& a, const Axes& axes, bool keepdims, std::optional<DType> dtype) {
  graph::require_defined("prod", a);
  return reduce("prod", ReduceKind::product, graph::as_type(a, graph::adding_type(a.dtype(), dtype)), axes, keepdims);
}
Array max(const Array& a, const Axes& axes, bool keepdims) {
  return extreme("max", ReduceKind::max, a, axes, keepdims);
}
Array min(const Array& a, const Axes& axes, bool keepdims) {
  return extreme("min", ReduceKind::min, a, axes, keepdims);
}

Array any(const Array& a, const Axes& axes, bool keepdims) {
  graph::require_defined("any", a);
  if (a.size() == 0) return astype(sum(astype(a, DType::int64), axes, keepdims), DType::boolean);
  return reduce("any", ReduceKind::max, graph::as_type(a, DType::boolean), axes, keepdims);
}
Array all(const Array& a, const Axes& axes, bool keepdims) {
  graph::require_defined("all", a);
  if (a.size() == 0) return astype(prod(astype(a, DType::int64), axes, keepdims), DType::boolean);
  return reduce("all", ReduceKind::min, graph::as_type(a, DType::boolean), axes, keepdims);
}
Array count_nonzero(const Array& a, const Axes& axes, bool keepdims) {
  graph::require_defined("count_nonzero", a);
  return sum(graph::as_type(a, DType::boolean), axes, keepdims);
}

Array mean(const Array& a, const Axes& axes, bool keepdims) {
  graph::require_defined("mean", a);
  const Array x = floating(a);
  return graph::as_type(mean_in("mean", widened(x), axes, keepdims), x.dtype());
}

Array var(const Array& a, const Axes& axes, double correction, bool keepdims) {
  graph::require_defined("var", a);
  const Array x = floating(a);
  const Array wide = widened(x);
  const Array distance = square(wide - mean_in("var", wide, axes, true));
  const Array total = reduce("var", ReduceKind::sum, distance, axes, keepdims);
  const double count = static_cast<double>(reduced_count(a, total)) - correction;
  return graph::as_type(total / std::max(count, 0.0), x.dtype());
}

Array std(const Array& a, const Axes& axes, double correction, bool keepdims) {
  return sqrt(var(a, axes, correction, keepdims));
}

Array norm(const Array& a, double order, const Axes& axes, bool keepdims) {
  graph::require_defined("norm", a);
  const Array x = overtake::abs(floating(a));
  if (order == std::numeric_limits<double>::infinity()) return max(x, axes, keepdims);
  if (order == -std::numeric_limits<double>::infinity()) return min(x, axes, keepdims);
  if (order == 0) return astype(sum(astype(not_equal(x, 0), x.dtype()), axes, keepdims), x.dtype());
  if (order == 1) return sum(x, axes, keepdims);
  if (order == 2) return sqrt(sum(square(x), axes, keepdims));
  return power(sum(power(x, order), axes, keepdims), 1 / order);
}

Array argmax(const Array& a, std::optional<int> axis, bool keepdims) {
  return arg_extreme("argmax", ReduceKind::max, a, axis, keepdims);
}
Array argmin(const Array& a, std::optional<int> axis, bool keepdims) {
  return arg_extreme("argmin", ReduceKind::min, a, axis, keepdims);
}

}  // namespace overtake
