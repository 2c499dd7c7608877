// SPDX-License-Identifier: MIT
// Shape functions made of views: expand_dims, squeeze, moveaxis, flip; and clip.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {

Array expand_dims(const Array& a, int axis) {
  graph::require_defined("expand_dims", a);
  const int rank = static_cast<int>(a.shape().rank()) + 1;
  if (axis < -rank || axis >= rank) {
    throw UsageError(fmt::format("[expand_dims] axis {} for an array of shape {}", axis, a.shape().to_string()),
                     fmt::format("Places go from {} to {}.", -rank, rank - 1));
  }
  std::vector<std::int64_t> extents = a.shape().to_vector();
  extents.insert(extents.begin() + (axis < 0 ? axis + rank : axis), 1);
  return reshape(a, std::move(extents));
}

Array squeeze(const Array& a, const std::vector<int>& axes) {
  graph::require_defined("squeeze", a);
  std::vector<bool> gone(a.shape().rank(), false);
  for (const int axis : axes) {
    const std::size_t chosen = graph::checked_axis("squeeze", axis, a.shape());
    if (a.shape()[chosen] != 1) {
      throw UsageError(fmt::format("[squeeze] axis {} of an array of shape {}: its extent is {}, not 1", axis,
                                   a.shape().to_string(), a.shape()[chosen]));
    }
    gone[chosen] = true;
  }
  std::vector<std::int64_t> extents;
  for (std::size_t axis = 0; axis < gone.size(); ++axis) {
    if (!gone[axis]) extents.push_back(a.shape()[axis]);
  }
  return reshape(a, std::move(extents));
}

Array matrix_transpose(const Array& a) {
  graph::require_defined("matrix_transpose", a);
  const std::size_t rank = a.shape().rank();
  if (rank < 2) {
    throw UsageError(fmt::format("[matrix_transpose] needs at least two axes, got shape {}", a.shape().to_string()));
  }
  if (rank == 2) return transpose(a);
  std::vector<int> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[rank - 1], axes[rank - 2]);
  return permute_dims(a, axes);
}

Array moveaxis(const Array& a, const std::vector<int>& source, const std::vector<int>& destination) {
  graph::require_defined("moveaxis", a);
  if (source.size() != destination.size()) {
    throw UsageError(fmt::format("[moveaxis] {} axes to {} places", source.size(), destination.size()));
  }
  const std::size_t rank = a.shape().rank();
  std::vector<int> order(rank, -1);
  std::vector<bool> moved(rank, false);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::size_t from = graph::checked_axis("moveaxis", source[i], a.shape());
    const std::size_t to = graph::checked_axis("moveaxis", destination[i], a.shape());
    if (moved[from] || order[to] >= 0) {
      throw UsageError(fmt::format("[moveaxis] axes ({}) to ({}): one is named twice", fmt::join(source, ", "),
                                   fmt::join(destination, ", ")));
    }
    moved[from] = true;
    order[to] = static_cast<int>(from);
  }
  std::size_t next = 0;
  for (int& axis : order) {
    if (axis >= 0) continue;
    while (moved[next]) ++next;
    axis = static_cast<int>(next++);
  }
  return permute_dims(a, order);
}

Array flip(const Array& a, const std::optional<std::vector<int>>& axes) {
  graph::require_defined("flip", a);
  std::vector<int> chosen(a.shape().rank());
  std::iota(chosen.begin(), chosen.end(), 0);
  Array result = a;
  for (const int axis : axes.value_or(chosen)) result = slice(result, {}, {}, axis, -1);
  return result;
}

Array clip(const Array& a, const std::optional<Array>& low, const std::optional<Array>& high) {
  graph::require_defined("clip", a);
  std::vector<Array> all{a};
  for (const std::optional<Array>& bound : {low, high}) {
    if (bound) all.push_back(*bound);
  }
  const DType common = graph::common_type("clip", all);
  if (!is_floating(a.dtype()) && common != a.dtype()) {
    throw UsageError(fmt::format("[clip] the array is {}, a bound makes it {}", name_of(a.dtype()), name_of(common)),
                     "Bounds are of the array's type: convert the array, or them, with astype().");
  }
  Array result = a;
  if (low) result = maximum(result, *low);
  if (high) result = minimum(result, *high);
  return graph::as_type(result, a.dtype());
}

}  // namespace overtake
