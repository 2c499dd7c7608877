// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/problem/column_bins.hpp"

namespace overtake::forest {

/// Tables of more rows than this are cut into quantiles of `sample_rows` of their rows, the same for all features: one
/// drawn (Philox) from each of that many equal stretches.
inline constexpr std::int64_t most_sorted_rows = std::int64_t{1} << 21;
inline constexpr std::int64_t sample_rows = std::int64_t{1} << 20;

/// The bins of every feature of a row-major table without infinite values. Features with at most `max_bins` distinct
/// values have exact bins however many rows there are. The result does not depend on `threads`.
[[nodiscard]] std::vector<ColumnBins> find_edges(std::span<const float> inputs, std::int64_t rows,
                                                 std::int32_t features, int max_bins, int threads);

}  // namespace overtake::forest
