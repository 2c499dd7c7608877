// SPDX-License-Identifier: MIT
// Primitives that move elements, for the functions that are made of them.
#pragma once

#include <string_view>

#include "overtake/array.hpp"

namespace overtake::graph {

/// Throws UsageError("[name] ...") unless the array is defined and of whole numbers.
void check_indices(std::string_view name, const Array& indices);

/// True where values are looked at to check them, which waits for them: on the cpu, elsewhere if the environment asks
/// for it, never in a step that is traced.
[[nodiscard]] bool is_read_for_checks(const Array& array);

/// Throws UsageError("[name] ...") for places outside of an axis, where they are checked (ops/indexing.hpp). Evaluates
/// indices on the cpu.
void check_places(std::string_view name, const Array& indices, std::size_t axis, const Shape& shape);

/// take() of indices that are known to be inside, or whose place outside is to give NaN.
[[nodiscard]] Array taken(const Array& a, const Array& indices, std::size_t axis = 0);

/// The same for take_along_axis().
[[nodiscard]] Array taken_along(const Array& a, const Array& indices, std::size_t axis);

/// `shape` with one axis replaced by those of the indices.
[[nodiscard]] Shape taken_shape(const Shape& shape, std::size_t axis, const Shape& indices);

/// The array as (before, extent, after) of one axis.
[[nodiscard]] Array three_axes(const Array& a, std::size_t axis);

/// source(o, indices(o, i, j), j) for `source` (outer, rows, columns) and `indices` (outer or 1, n, columns or 1),
/// whole numbers.
[[nodiscard]] Array gathered(const Array& source, const Array& indices);

/// The order of (outer, n, inner) along the middle axis, int64.
[[nodiscard]] Array sorted_order(const Array& a, bool descending);

/// Places of `values` (m) in `sorted` (n, not 0) of the same dtype; `order` (int64, within 0 ... n - 1) may be
/// undefined.
[[nodiscard]] Array search(const Array& sorted, const Array& values, bool right, const Array& order);

/// Which of n given rows go to which row of a result.
struct Segments {
  Array ids;     ///< (n): the row, or `rows` for those that go nowhere; of the smallest unsigned type
  Array order;   ///< (n), int64: given rows by id, those of one id in their order
  Array starts;  ///< (rows + 1), int64: where in `order` each row's begin
  std::int64_t rows = 0;
};
/// The smallest unsigned type that holds all of 0 ... largest: the fewer bytes, the faster it is sorted.
[[nodiscard]] DType id_type(std::int64_t largest);
/// Of `ids` in 0 ... rows, (n).
[[nodiscard]] Segments segments_of(const Array& ids, std::int64_t rows);
/// Indices (n, not 0) into `rows` rows as ids: negative ones count from the end, those outside become `rows`; int64.
[[nodiscard]] Array ids_of(const Array& indices, std::int64_t rows);
/// (outer, n, columns) -> (outer, rows, columns), of any type but bool.
[[nodiscard]] Array segment_sum(const Array& values, const Segments& segments);

/// The gradient of gathered() by its source of `rows` rows.
[[nodiscard]] Array gathered_gradient(const Array& cotangent, const Array& indices, std::int64_t rows);

/// Where the elements of a flat bool array are true, int64. Evaluates.
[[nodiscard]] Array true_places(const Array& flat);

}  // namespace overtake::graph
