// SPDX-License-Identifier: MIT
// Running sums, sorting, searching, scattering, counting and sets. All give the same bits on every device, run to run.
//
// Order: numbers ascending, -0 equal to +0, then NaNs, which are equal to each other here. Descending order is the
// reverse of that (NaNs first). Equal elements keep their order in both.
//
// Some results have a shape that depends on values: those functions evaluate their arguments and say so. In a compiled
// step they throw UsageError.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

// -- running sums -----------------------------------------------------------------------------------------------------

/// The sum of the elements up to each one along an axis, which may be left out for one axis only. Whole numbers and
/// bool are added up as int64 or uint64 unless `dtype` says otherwise, half precision in float32. With
/// `include_initial` the axis has one element more: a 0 comes first. Sums of floats are taken in the canonical order of
/// backend/api/order_cores.hpp. Throws UsageError for several axes and none named. Differentiable.
[[nodiscard]] Array cumulative_sum(const Array& a, std::optional<int> axis = {}, std::optional<DType> dtype = {},
                                   bool include_initial = false);
/// The same for products; a 1 comes first.
[[nodiscard]] Array cumulative_prod(const Array& a, std::optional<int> axis = {}, std::optional<DType> dtype = {},
                                    bool include_initial = false);

// -- sorting ----------------------------------------------------------------------------------------------------------

/// Sorted along an axis, of any dtype. -0 comes before +0; NaNs come last (first when descending) and lose their
/// payload. Throws UsageError for an array without axes. Differentiable.
[[nodiscard]] Array sort(const Array& a, int axis = -1, bool descending = false);
/// The places (int64) of the elements that sort() gives.
[[nodiscard]] Array argsort(const Array& a, int axis = -1, bool descending = false);

struct TopK {
  Array values;
  Array indices;  ///< int64, along the axis
};
/// The k largest (or smallest) elements along an axis, best first; of equals the first in `a` comes first. Throws
/// UsageError unless 0 <= k <= the extent. Values are differentiable.
[[nodiscard]] TopK topk(const Array& a, std::int64_t k, int axis = -1, bool largest = true);

// -- searching --------------------------------------------------------------------------------------------------------

enum class SearchSide : std::uint8_t {
  left,   ///< before equal elements
  right,  ///< after them
};
/// Where each of the `values` (any shape) would have to be put into `sorted` (one axis, ascending) to keep it in order:
/// int64. With a `sorter` (as argsort() gives it) take(sorted, sorter) is what is in order. Compares in the common
/// type. Throws UsageError for other shapes.
[[nodiscard]] Array searchsorted(const Array& sorted, const Array& values, SearchSide side = SearchSide::left,
                                 const std::optional<Array>& sorter = {});

// -- scattering -------------------------------------------------------------------------------------------------------

/// `a` with values added at places of an axis: the rows of `values` whose index is r are added up one after the other,
/// and their sum to row r. Indices are whole numbers of any shape, negative ones count from the end; of those outside
/// see indexing.hpp. `values` broadcasts to the shape of take(a, indices, axis) and takes the type of `a`, which is no
/// bool. Throws UsageError for other types and shapes. Differentiable by `a` and `values`.
[[nodiscard]] Array index_add(const Array& a, int axis, const Array& indices, const Array& values);
/// `a` with values put at places of an axis, of any dtype; of several values for one place the last one stays.
/// Otherwise as index_add().
[[nodiscard]] Array index_put(const Array& a, int axis, const Array& indices, const Array& values);

// -- counting ---------------------------------------------------------------------------------------------------------

/// How often each whole number occurs in `a` (one axis): int64, of max(max(a) + 1, minlength) elements. With `weights`,
/// of the same shape, their sums, in their order and type (float32 for whole numbers). Evaluates. Throws UsageError for
/// negative numbers.
[[nodiscard]] Array bincount(const Array& a, const std::optional<Array>& weights = {}, std::int64_t minlength = 0);

struct Histogram {
  Array counts;  ///< int64, one for each bin
  Array edges;   ///< one more; of the type of the values, float32 for whole numbers
};
/// How many elements fall into each of `bins` equal intervals of `range` (the whole of the values, when left out: then
/// it evaluates). An interval holds its lower edge; the last one the upper edge, too. NaN and what is outside is not
/// counted. As NumPy, a range without width becomes one of width 1. Throws UsageError unless bins >= 1 and the range is
/// finite and ascends.
[[nodiscard]] Histogram histogram(const Array& a, std::int64_t bins = 10,
                                  std::optional<std::pair<double, double>> range = {});

// -- choices and sets: all evaluate -----------------------------------------------------------------------------------

/// The places of the elements that are not 0, row-major: one int64 array for each axis. Throws UsageError for an array
/// without axes.
[[nodiscard]] std::vector<Array> nonzero(const Array& a);
/// a[mask]: the mask's axes, which are the first ones of `a`, become one. Throws UsageError for other shapes.
/// Differentiable.
[[nodiscard]] Array compress(const Array& a, const Array& mask);

struct UniqueCounts {
  Array values;
  Array counts;  ///< int64
};
struct UniqueInverse {
  Array values;
  Array inverse_indices;  ///< int64, of the shape of `a`: take(values, inverse_indices) is `a`
};
struct UniqueAll {
  Array values;
  Array indices;  ///< int64: where in reshape(a, {-1}) each value occurs first
  Array inverse_indices;
  Array counts;
};
/// The different values, sorted. Every NaN is different from every other one.
[[nodiscard]] Array unique_values(const Array& a);
[[nodiscard]] UniqueCounts unique_counts(const Array& a);
[[nodiscard]] UniqueInverse unique_inverse(const Array& a);
[[nodiscard]] UniqueAll unique_all(const Array& a);

}  // namespace overtake
