// SPDX-License-Identifier: MIT
// Shapes, parts and order of arrays. What only looks at the same values in another way copies nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

/// At most one extent may be -1 (inferred).
[[nodiscard]] Array reshape(const Array& a, std::vector<std::int64_t> extents);
/// Axis i of the result is axis axes[i] of `a`.
[[nodiscard]] Array permute_dims(const Array& a, const std::vector<int>& axes);
/// Reverses the axes.
[[nodiscard]] Array transpose(const Array& a);
/// Exchanges the last two axes.
[[nodiscard]] Array matrix_transpose(const Array& a);
/// Takes the axes `source` to the places `destination`; the others keep their order.
[[nodiscard]] Array moveaxis(const Array& a, const std::vector<int>& source, const std::vector<int>& destination);
[[nodiscard]] Array broadcast_to(const Array& a, const Shape& shape);
/// A new axis of extent 1 at `axis` of the result.
[[nodiscard]] Array expand_dims(const Array& a, int axis);
/// Without the named axes, which must have extent 1.
[[nodiscard]] Array squeeze(const Array& a, const std::vector<int>& axes);
/// a[begin:end:step] along an axis, with Python's rules: negative positions count from the end, and all are clipped.
[[nodiscard]] Array slice(const Array& a, std::optional<std::int64_t> begin, std::optional<std::int64_t> end,
                          int axis = 0, std::int64_t step = 1);
/// In reverse order along the axes, along all of them when none is named.
[[nodiscard]] Array flip(const Array& a, const std::optional<std::vector<int>>& axes = {});

/// a[indices] along an axis: its extent is replaced by the shape of the indices (whole numbers; negative ones count
/// from the end). An index outside gives NaN (whole numbers: the smallest value of int32 or int64, narrowed).
[[nodiscard]] Array take(const Array& a, const Array& indices, int axis = 0);
/// result[..., i, ...] = a[..., indices[..., i, ...], ...]: one index for each element; the other axes broadcast.
[[nodiscard]] Array take_along_axis(const Array& a, const Array& indices, int axis = -1);
/// Rows a[indices[start*count ... start*count+count)]: the batch number `start` (a one-element int32 array) of `count`
/// rows. Used by compiled training loops; not differentiable.
[[nodiscard]] Array take_batch(const Array& a, const Array& indices, const Array& start, std::int64_t count);

}  // namespace overtake
