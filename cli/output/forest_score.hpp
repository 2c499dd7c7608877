// SPDX-License-Identifier: MIT
// What train and predict say of a score; the formulas are the library's (overtake/metrics.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "overtake/data/dataset.hpp"

namespace cli {

/// Share of the rows whose predicted class is right.
[[nodiscard]] double accuracy_of(std::span<const std::int32_t> predicted, const overtake::Dataset& data);
/// Coefficient of determination; NaN for fewer than two rows.
[[nodiscard]] double r2_of(std::span<const double> predicted, const overtake::Dataset& data);

/// A score with so many decimals, "undefined" for NaN.
[[nodiscard]] std::string score_number(double score, int decimals = 4);

}  // namespace cli
