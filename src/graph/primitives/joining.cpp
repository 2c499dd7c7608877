// SPDX-License-Identifier: MIT
// Arrays of several parts: concat, stack, split, tile, repeat, roll, pad, assigned.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

// Inputs one behind the other along their first axis.
class Concat final : public graph::Core {
 public:
  [[nodiscard]] std::string_view name() const override { return "concat"; }
  [[nodiscard]] Epilogue epilogue() const override { return Epilogue::none; }
  [[nodiscard]] bool joins_inputs() const override { return true; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>& in, const Array&, const Array& g,
                                       const std::vector<bool>& wanted) const override {
    std::vector<Array> parts;
    std::int64_t at = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::int64_t end = at + in[i].shape()[0];
      parts.push_back(wanted[i] ? slice(g, at, end) : Array());
      at = end;
    }
    return parts;
  }
  [[nodiscard]] Variant lower(const std::vector<graph::Operand>&, const Shape&) const override {
    return backend::MapCore{};
  }
};

Array joined_rows(const std::vector<Array>& arrays) {
  std::vector<std::int64_t> extents = arrays[0].shape().to_vector();
  extents[0] = 0;
  std::vector<Array> parts;
  for (const Array& each : arrays) {
    extents[0] += each.shape()[0];
    if (each.size() > 0) parts.push_back(each);
  }
  if (parts.size() == 1) return reshape(parts[0], extents);
  if (parts.empty()) return zeros(Shape(extents), arrays[0].dtype(), arrays[0].device());
  return graph::make_node(std::make_shared<Concat>(), parts, Shape(extents), arrays[0].dtype());
}

void check_parts(const std::vector<Array>& arrays, std::size_t axis) {
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    bool fits = arrays[i].shape().rank() == arrays[0].shape().rank();
    for (std::size_t other = 0; fits && other < arrays[0].shape().rank(); ++other) {
      fits = other == axis || arrays[i].shape()[other] == arrays[0].shape()[other];
    }
    if (fits) continue;
    throw UsageError(fmt::format("[concat] shapes {} and {} differ beside axis {}", arrays[0].shape().to_string(),
                                 arrays[i].shape().to_string(), axis));
  }
}

std::vector<Array> in_common_type(std::string_view name, const std::vector<Array>& arrays) {
  if (arrays.empty()) throw UsageError(fmt::format("[{}] needs at least one array", name));
  const DType dtype = graph::common_type(name, arrays);
  std::vector<Array> same;
  for (const Array& each : arrays) same.push_back(graph::as_type(each, dtype));
  return same;
}

// `a` seen with one more axis before `axis`, repeated along it, as one axis again: whole (tile) or each element
// (repeat).
Array repeated(const Array& a, std::size_t axis, std::int64_t count, bool each_element) {
  if (count == 1) return a;
  std::vector<std::int64_t> seen = a.shape().to_vector();
  seen.insert(seen.begin() + static_cast<std::ptrdiff_t>(axis) + (each_element ? 1 : 0), 1);
  std::vector<std::int64_t> stretched = seen;
  stretched[axis + (each_element ? 1 : 0)] = count;
  std::vector<std::int64_t> extents = a.shape().to_vector();
  extents[axis] *= count;
  return reshape(broadcast_to(reshape(a, seen), Shape(stretched)), extents);
}

Array triangle(std::string_view name, const Array& a, std::int64_t k, bool lower) {
  graph::require_defined(name, a);
  const Shape& shape = a.shape();
  if (shape.rank() < 2) {
    throw UsageError(fmt::format("[{}] needs at least two axes, got shape {}", name, shape.to_string()));
  }
  const Shape matrix{shape[shape.rank() - 2], shape[shape.rank() - 1]};
  const Array distance = coordinates(matrix, 1, a.device()) - coordinates(matrix, 0, a.device());
  return where(lower ? less_equal(distance, k) : greater_equal(distance, k), a, zeros(Shape{}, a.dtype(), a.device()));
}

}  // namespace

Array concat(const std::vector<Array>& arrays, int axis) {
  const std::vector<Array> same = in_common_type("concat", arrays);
  const std::size_t chosen = graph::checked_axis("concat", axis, same[0].shape());
  check_parts(same, chosen);
  if (same.size() == 1) return same[0];
  if (chosen == 0) return joined_rows(same);
  const int from = static_cast<int>(chosen);
  std::vector<Array> moved;
  for (const Array& each : same) moved.push_back(moveaxis(each, {from}, {0}));
  return moveaxis(joined_rows(moved), {0}, {from});
}

Array stack(const std::vector<Array>& arrays, int axis) {
  std::vector<Array> raised;
  for (const Array& each : in_common_type("stack", arrays)) {
    if (each.shape() != arrays[0].shape()) {
      throw UsageError(
          fmt::format("[stack] shapes {} and {} differ", arrays[0].shape().to_string(), each.shape().to_string()));
    }
    raised.push_back(expand_dims(each, axis));
  }
  return concat(raised, axis);
}

std::vector<Array> split_at(const Array& a, const std::vector<std::int64_t>& cuts, int axis) {
  graph::require_defined("split", a);
  (void)graph::checked_axis("split", axis, a.shape());
  std::vector<Array> parts;
  std::optional<std::int64_t> from;
  for (const std::int64_t cut : cuts) {
    parts.push_back(slice(a, from, cut, axis));
    from = cut;
  }
  parts.push_back(slice(a, from, {}, axis));
  return parts;
}

std::vector<Array> split(const Array& a, std::int64_t parts, int axis) {
  graph::require_defined("split", a);
  const std::int64_t extent = a.shape()[graph::checked_axis("split", axis, a.shape())];
  if (parts < 1 || extent % parts != 0) {
    throw UsageError(fmt::format("[split] {} elements along axis {} in {} equal parts", extent, axis, parts),
                     "Name the places to cut at in place of a number of parts.");
  }
  std::vector<std::int64_t> cuts;
  for (std::int64_t i = 1; i < parts; ++i) cuts.push_back(extent / parts * i);
  return split_at(a, cuts, axis);
}

std::vector<Array> unstack(const Array& a, int axis) {
  graph::require_defined("unstack", a);
  const std::size_t chosen = graph::checked_axis("unstack", axis, a.shape());
  std::vector<Array> parts;
  for (std::int64_t i = 0; i < a.shape()[chosen]; ++i) {
    parts.push_back(squeeze(slice(a, i, i + 1, static_cast<int>(chosen)), {static_cast<int>(chosen)}));
  }
  return parts;
}

Array tile(const Array& a, const std::vector<std::int64_t>& repetitions) {
  graph::require_defined("tile", a);
  std::vector<std::int64_t> extents = a.shape().to_vector(), counts = repetitions;
  const std::size_t rank = std::max(extents.size(), counts.size());
  extents.insert(extents.begin(), rank - extents.size(), 1);
  counts.insert(counts.begin(), rank - counts.size(), 1);
  Array result = reshape(a, extents);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (counts[axis] < 0) throw UsageError(fmt::format("[tile] {} repetitions", counts[axis]));
    result = repeated(result, axis, counts[axis], false);
  }
  return result;
}

Array repeat(const Array& a, std::int64_t count, std::optional<int> axis) {
  graph::require_defined("repeat", a);
  if (count < 0) throw UsageError(fmt::format("[repeat] {} times", count));
  if (!axis) return repeated(reshape(a, {a.size()}), 0, count, true);
  return repeated(a, graph::checked_axis("repeat", *axis, a.shape()), count, true);
}

Array repeat(const Array& a, const Array& counts, std::optional<int> axis) {
  graph::require_defined("repeat", a);
  graph::require_defined("repeat", counts);
  if (!is_integer(counts.dtype()) || counts.shape().rank() > 1) {
    throw UsageError(fmt::format("[repeat] counts are {} of shape {}, expected whole numbers along one axis",
                                 name_of(counts.dtype()), counts.shape().to_string()));
  }
  if (counts.size() == 1) return repeat(a, counts.item<std::int64_t>(), axis);
  const Array flat = axis ? a : reshape(a, {a.size()});
  const std::size_t chosen = graph::checked_axis("repeat", axis.value_or(0), flat.shape());
  if (counts.size() != flat.shape()[chosen]) {
    throw UsageError(fmt::format("[repeat] {} counts for {} elements", counts.size(), flat.shape()[chosen]));
  }
  const Array ends = cumulative_sum(astype(counts, DType::int64));
  const std::int64_t total = counts.size() == 0 ? 0 : slice(ends, -1, {}).item<std::int64_t>();
  return graph::taken(flat, searchsorted(ends, arange(total, DType::int64, a.device()), SearchSide::right), chosen);
}

Array roll(const Array& a, const std::vector<std::int64_t>& shifts, const std::optional<std::vector<int>>& axes) {
  graph::require_defined("roll", a);
  if (!axes) {
    std::int64_t total = 0;
    for (const std::int64_t shift : shifts) total += shift;
    if (a.shape().rank() == 0) return a;
    return reshape(roll(reshape(a, {a.size()}), {total}, std::vector<int>{0}), a.shape().to_vector());
  }
  if (shifts.size() != axes->size() && shifts.size() != 1) {
    throw UsageError(fmt::format("[roll] {} shifts for {} axes", shifts.size(), axes->size()));
  }
  Array result = a;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const int axis = (*axes)[i];
    const std::int64_t extent = a.shape()[graph::checked_axis("roll", axis, a.shape())];
    if (extent == 0) continue;
    const std::int64_t shift = ((shifts[shifts.size() == 1 ? 0 : i] % extent) + extent) % extent;
    if (shift == 0) continue;
    result = concat({slice(result, extent - shift, {}, axis), slice(result, {}, extent - shift, axis)}, axis);
  }
  return result;
}

Array pad(const Array& a, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, const Array& value) {
  graph::require_defined("pad", a);
  if (widths.size() != a.shape().rank()) {
    throw UsageError(
        fmt::format("[pad] widths for {} axes of an array of shape {}", widths.size(), a.shape().to_string()));
  }
  Array result = a;
  const Array filling = graph::as_type(value, a.dtype());
  for (std::size_t axis = 0; axis < widths.size(); ++axis) {
    const auto [before, after] = widths[axis];
    if (before < 0 || after < 0) throw UsageError(fmt::format("[pad] widths {} and {}", before, after));
    const auto piece = [&](std::int64_t width) {
      std::vector<std::int64_t> extents = result.shape().to_vector();
      extents[axis] = width;
      return full(Shape(extents), filling, a.dtype(), a.device());
    };
    if (before + after > 0) result = concat({piece(before), result, piece(after)}, static_cast<int>(axis));
  }
  return result;
}

Array tril(const Array& a, std::int64_t k) { return triangle("tril", a, k, true); }
Array triu(const Array& a, std::int64_t k) { return triangle("triu", a, k, false); }

std::vector<Array> broadcast_arrays(const std::vector<Array>& arrays) {
  return graph::broadcast_all("broadcast_arrays", arrays);
}

std::vector<Array> meshgrid(const std::vector<Array>& arrays, std::string_view indexing) {
  if (indexing != "xy" && indexing != "ij") {
    throw UsageError(fmt::format("[meshgrid] indexing '{}', expected 'xy' or 'ij'", indexing));
  }
  const bool exchange = indexing == "xy" && arrays.size() > 1;
  std::vector<std::int64_t> extents;
  for (const Array& each : arrays) extents.push_back(each.size());
  if (exchange) std::swap(extents[0], extents[1]);
  std::vector<Array> grids;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (arrays[i].shape().rank() > 1) throw UsageError("[meshgrid] expects vectors");
    std::vector<std::int64_t> along(arrays.size(), 1);
    const std::size_t axis = exchange && i < 2 ? 1 - i : i;
    along[axis] = arrays[i].size();
    grids.push_back(broadcast_to(reshape(arrays[i], along), Shape(extents)));
  }
  return grids;
}

Array assigned(const Array& a, const std::vector<Region>& regions, const Array& values) {
  graph::require_defined("assigned", a);
  graph::require_defined("assigned", values);
  if (regions.size() > a.shape().rank()) {
    throw UsageError(
        fmt::format("[assigned] {} regions of an array of shape {}", regions.size(), a.shape().to_string()));
  }
  std::vector<std::int64_t> extents = a.shape().to_vector();
  for (std::size_t axis = 0; axis < regions.size(); ++axis) extents[axis] = regions[axis].count;
  const Shape region(extents);
  Array value = broadcast_to(graph::as_type(values, a.dtype()), region);
  if (region.size() == 0) return a;
  Array inside;
  for (std::size_t axis = 0; axis < regions.size(); ++axis) {
    const auto [begin, count, step] = regions[axis];
    if (begin == 0 && step == 1 && count == a.shape()[axis]) continue;
    const graph::Spread all = graph::spread(value, axis, a.shape()[axis], begin, step, a.device());
    inside = inside.defined() ? logical_and(inside, all.inside) : all.inside;
    value = all.values;
  }
  return inside.defined() ? where(inside, value, a) : value;
}

}  // namespace overtake
