// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace overtake {

/// Throws UsageError for sample weights of another number than `rows` (none are fine), DataError for one that is
/// negative or not finite, naming the row.
void check_sample_weights(std::span<const float> weights, std::int64_t rows);

}  // namespace overtake
