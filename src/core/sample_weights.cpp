// SPDX-License-Identifier: MIT
#include "core/sample_weights.hpp"

#include <fmt/format.h>

#include <cmath>

#include "overtake/error.hpp"

namespace overtake {

void check_sample_weights(std::span<const float> weights, std::int64_t rows) {
  if (weights.empty()) return;
  if (static_cast<std::int64_t>(weights.size()) != rows) {
    throw UsageError(fmt::format("sample_weight: {} numbers for {} rows; expected one a row", weights.size(), rows));
  }
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (std::isfinite(weights[row]) && weights[row] >= 0) continue;
    throw DataError(
        fmt::format("the sample weight of row {} is {}; expected a finite number of at least 0", row, weights[row]));
  }
}

}  // namespace overtake
