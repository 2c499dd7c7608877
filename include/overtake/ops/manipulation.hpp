// SPDX-License-Identifier: MIT
// Shapes, parts and order of arrays. What only looks at the same values in another way copies nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
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

/// Arrays one behind the other along an axis, in their common type. Throws UsageError for none, and when they differ in
/// another axis.
[[nodiscard]] Array concat(const std::vector<Array>& arrays, int axis = 0);
/// Arrays of one shape along a new axis.
[[nodiscard]] Array stack(const std::vector<Array>& arrays, int axis = 0);
/// The parts along an axis: of `parts` equal lengths, or between the places `cuts`.
[[nodiscard]] std::vector<Array> split(const Array& a, std::int64_t parts, int axis = 0);
[[nodiscard]] std::vector<Array> split_at(const Array& a, const std::vector<std::int64_t>& cuts, int axis = 0);
/// Each element of an axis as an array without it.
[[nodiscard]] std::vector<Array> unstack(const Array& a, int axis = 0);
/// The whole array as often along each axis as `repetitions` says.
[[nodiscard]] Array tile(const Array& a, const std::vector<std::int64_t>& repetitions);
/// Each element `count` times, along an axis or (without one) of the flattened array.
[[nodiscard]] Array repeat(const Array& a, std::int64_t count, std::optional<int> axis = {});
/// The same with a count (one axis of whole numbers) for each element. Evaluates.
[[nodiscard]] Array repeat(const Array& a, const Array& counts, std::optional<int> axis = {});
/// Shifted along axes, what leaves at one end enters at the other; without axes the flattened array is.
[[nodiscard]] Array roll(const Array& a, const std::vector<std::int64_t>& shifts,
                         const std::optional<std::vector<int>>& axes = {});
/// With widths[i] = {before, after} more elements of one value along axis i.
[[nodiscard]] Array pad(const Array& a, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths,
                        const Array& value = 0);
/// What is on and below (above) the k-th diagonal of the last two axes, 0 elsewhere.
[[nodiscard]] Array tril(const Array& a, std::int64_t k = 0);
[[nodiscard]] Array triu(const Array& a, std::int64_t k = 0);
/// All arrays in their common shape.
[[nodiscard]] std::vector<Array> broadcast_arrays(const std::vector<Array>& arrays);
/// Grids of coordinates of vectors: indexing "xy" exchanges the first two axes, "ij" does not.
[[nodiscard]] std::vector<Array> meshgrid(const std::vector<Array>& arrays, std::string_view indexing = "xy");

/// Every step-th of `count` places of an axis, from `begin` on.
struct Region {
  std::int64_t begin = 0, count = 0, step = 1;
};
/// `a` with values put into a region: regions[i] is of axis i, further axes are whole. `values` broadcasts to the
/// region and takes the type of `a`.
[[nodiscard]] Array assigned(const Array& a, const std::vector<Region>& regions, const Array& values);

/// a[indices] along an axis: its extent is replaced by the shape of the indices (whole numbers; negative ones count
/// from the end). Indices outside: see indexing.hpp.
[[nodiscard]] Array take(const Array& a, const Array& indices, int axis = 0);
/// result[..., i, ...] = a[..., indices[..., i, ...], ...]: one index for each element; the other axes broadcast.
[[nodiscard]] Array take_along_axis(const Array& a, const Array& indices, int axis = -1);
/// Rows a[indices[start*count ... start*count+count)]: the batch number `start` (a one-element int32 array) of `count`
/// rows. Used by compiled training loops; not differentiable.
[[nodiscard]] Array take_batch(const Array& a, const Array& indices, const Array& start, std::int64_t count);

}  // namespace overtake
