// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "overtake/data_set.hpp"

namespace cli {

/// Share of the rows whose predicted class is right.
[[nodiscard]] double accuracy_of(std::span<const std::int32_t> predicted, const overtake::Dataset& data);
/// Coefficient of determination; NaN for fewer than two rows.
[[nodiscard]] double r2_of(std::span<const double> predicted, const overtake::Dataset& data);

}  // namespace cli
