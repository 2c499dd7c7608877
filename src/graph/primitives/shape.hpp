// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "overtake/ops/manipulation.hpp"

namespace overtake::graph {

/// How the node's values lie in the memory of the first node below it that is not a view.
[[nodiscard]] Layout layout_of(const Node& node);

/// True if the layout's strides are those of row_major(shape), extents of 1 aside.
[[nodiscard]] bool is_row_major(const Layout& layout, const Shape& shape);

/// An array whose elements are all one value, in another shape; undefined if `a` is not visibly so (a constant, or a
/// stretched single element).
[[nodiscard]] Array refilled(const Array& a, const Shape& shape);

/// The axis counted from 0. Throws UsageError("[name] axis ...") when there is none.
[[nodiscard]] std::size_t checked_axis(std::string_view name, int axis, const Shape& shape);

/// The value of an array that is a constant or a view of one.
[[nodiscard]] std::optional<Number> constant_value(const Array& a);

/// The places that begin:end:step means on an axis, as Python's slice.indices(): begin, how many, step. Throws
/// UsageError("[name] ...") for a step of 0.
[[nodiscard]] Region places_of(std::string_view name, const Slice& slice, std::int64_t extent);

/// The array itself, or a copy if it is a constant or a view of one: cores read memory.
[[nodiscard]] Array in_memory(const Array& a);

/// The order in which the node, a view, has the axes of its input: axis i is axis order[i] there.
[[nodiscard]] std::optional<std::vector<int>> order_of(const Node& node);

/// An element-wise copy of the array, contiguous and in memory.
[[nodiscard]] Array copied(const Array& a);

/// The array with no gradient through it, not yet computed.
[[nodiscard]] Array cut_off(const Array& a);

/// The array itself if its values are row-major in memory, else a copy that is.
[[nodiscard]] Array contiguous(const Array& a);

/// Values that stand at every `step`-th place of an axis from `begin` on, seen along the whole axis.
struct Spread {
  Array values;  ///< at places that are not inside: any of them
  Array inside;  ///< bool, the shape of the axis among extents of 1
};
/// `values` has at least one element along the axis, which becomes `extent` long; a constant is on no device yet.
[[nodiscard]] Spread spread(const Array& values, std::size_t axis, std::int64_t extent, std::int64_t begin,
                            std::int64_t step, const Device& device);

}  // namespace overtake::graph
