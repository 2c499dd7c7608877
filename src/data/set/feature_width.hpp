// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "overtake/data/preprocessing.hpp"

namespace overtake::data {

/// Inputs that a feature takes.
[[nodiscard]] inline std::int64_t width_of(const Feature& feature, bool text_as_codes) noexcept {
  const bool one = feature.kind == ColumnKind::numeric || text_as_codes;
  return one ? 1 : static_cast<std::int64_t>(feature.categories.size());
}

}  // namespace overtake::data
