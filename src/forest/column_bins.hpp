// SPDX-License-Identifier: MIT
// Where the bins of one feature lie.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace overtake::forest {

/// The bins of one feature, ascending. `sampled`: made from some of the rows, so the edges are not final yet.
struct ColumnBins {
  std::vector<float> lower, upper;
  bool exact = true;
  bool sampled = false;
};

/// Values of one column of a row-major table.
struct Column {
  const float* first = nullptr;
  std::int64_t rows = 0;
  std::int64_t step = 0;  ///< from one row to the next

  [[nodiscard]] float operator[](std::int64_t row) const noexcept { return first[row * step]; }
};

/// Memory that column_bins uses again and again.
struct ColumnScratch {
  std::vector<std::uint32_t> keys, other;
  std::vector<float> values;
};

/// Columns of more rows than this are cut into quantiles of about `sample_rows` rows.
inline constexpr std::int64_t most_sorted_rows = std::int64_t{1} << 21;
inline constexpr std::int64_t sample_rows = std::int64_t{1} << 20;

/// The bins of a column without infinite values; NaN is left out. Values no more than 1e-7 above the next lower one
/// count as one. At most `max_bins` distinct values: a bin each. Else quantiles: bins of about equally many rows, cut
/// between distinct values, a value with many rows having a bin of its own. Up to `most_sorted_rows` rows all are
/// looked at; of more, one row drawn from each of `sample_rows` equal stretches (Philox, keyed by `feature`).
[[nodiscard]] ColumnBins column_bins(const Column& column, std::int32_t feature, std::int32_t max_bins,
                                     ColumnScratch& scratch);

}  // namespace overtake::forest
