// SPDX-License-Identifier: MIT
// Where the bins of one feature lie.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace overtake::forest {

/// The bins of one feature, ascending.
struct ColumnBins {
  std::vector<float> lower, upper;
  bool exact = true;          ///< every distinct value has a bin
  std::int64_t distinct = 0;  ///< values that differ, of the rows looked at
  bool sampled = false;       ///< made from some of the rows: values beyond the edges may exist
};

/// Whole numbers in the order of the floats. Both zeros have one key, all NaN have `missing_key`, the largest.
inline constexpr std::uint32_t missing_key = 0xFFFFFFFFU;
[[nodiscard]] inline std::uint32_t key_of(float value) noexcept {
  if (std::isnan(value)) return missing_key;
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/// The distinct keys of a column (first, first + step, ...) in ascending order, or nothing when there are more than
/// `most`.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> few_distinct(const float* first, std::int64_t rows,
                                                                     std::int64_t step, std::int32_t most);

/// The bins of a column given by its keys, in any order; they are sorted in place, `scratch` is working memory. At most
/// `max_bins` distinct values: a bin each. Else quantiles: bins of about equally many rows, cut between distinct
/// values, a value with many rows having a bin of its own, and so have values far from all others (docs/forests.md).
[[nodiscard]] ColumnBins column_bins(std::span<std::uint32_t> keys, std::int32_t max_bins,
                                     std::vector<std::uint32_t>& scratch);

}  // namespace overtake::forest
