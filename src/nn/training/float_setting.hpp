// SPDX-License-Identifier: MIT
// Settings are given in double and computed with in float32: one that would become another number there is refused.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "overtake/error.hpp"

namespace overtake::nn {

/// True for 0 and for numbers above 0 that float32 holds as normal numbers: devices may take smaller ones for 0.
[[nodiscard]] inline bool fits_float(double value) noexcept {
  return value == 0 || (value >= std::numeric_limits<float>::min() && value <= std::numeric_limits<float>::max());
}

/// Throws UsageError, naming `owner` and `name`, unless `value` is a number of at least 0 that float32 holds.
inline void require_float(std::string_view owner, std::string_view name, double value) {
  if (fits_float(value)) return;
  if (!(value >= 0) || !std::isfinite(value)) {
    throw UsageError(fmt::format("[{}] {} {} is not a number of at least 0", owner, name, value));
  }
  throw UsageError(fmt::format("[{}] {} {} would be {} in float32", owner, name, value, value < 1 ? "0" : "infinite"),
                   "Settings are 0 or from 1.18e-38 to 3.4e38.");
}

}  // namespace overtake::nn
