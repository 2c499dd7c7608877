// SPDX-License-Identifier: MIT
// Features as small whole numbers: what trees are grown from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "overtake/data/dataset.hpp"

namespace overtake::forest {

/// Where the bins of each feature lie. Bin b of feature f holds the values lower(f, b) .. upper(f, b), both present in
/// the data and ascending with b; in an exact feature the two are equal. Missing values have the bin after the last.
struct BinEdges {
  std::int32_t features = 0;
  std::vector<std::int32_t> first;  ///< features + 1: bins of f are first[f] .. first[f + 1] - 1 of the arrays below
  std::vector<float> lower, upper;
  std::vector<std::uint8_t> has_missing;  ///< one a feature
  std::vector<std::int64_t> distinct;     ///< values of each feature that differ (of a sample of large tables)
  std::int32_t inexact = 0;               ///< features with more distinct values than bins

  /// Bins of values, the missing one not counted.
  [[nodiscard]] std::int32_t bins(std::int32_t feature) const noexcept { return first[feature + 1] - first[feature]; }
  /// The most bins of any feature, with its missing one.
  [[nodiscard]] std::int32_t widest() const noexcept;
};

/// A data set in bins, row-major: bin(row, feature) = wide ? words[row * stride + feature] : bytes[...].
struct BinnedData {
  BinEdges edges;
  std::int64_t rows = 0;
  std::int32_t stride = 0;  ///< features rounded up to a multiple of 4
  bool wide = false;        ///< some feature needs more than 256 numbers
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint16_t> words;

  [[nodiscard]] std::int32_t bin(std::int64_t row, std::int32_t feature) const noexcept {
    const auto at =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(feature);
    return wide ? words[at] : bytes[at];
  }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return bytes.size() + 2 * words.size(); }
};

/// Bins every feature: exact where there are at most `max_bins` distinct values, else quantiles of the rows, with bins
/// of their own for values far from all others (docs/forests.md). A column times a power of two has the same bins. Uses
/// no targets, so that all folds of a search may share it (docs/adr/0005). NaN is missing. Throws DataError for
/// infinite values. `threads`: at most this many; the result does not depend on it.
[[nodiscard]] BinnedData bin_features(std::span<const float> inputs, std::int64_t rows, std::int32_t features,
                                      int max_bins, int threads);

}  // namespace overtake::forest
