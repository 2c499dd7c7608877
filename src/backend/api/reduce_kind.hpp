// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace overtake::backend {

/// What reductions and scans combine elements with.
enum class ReduceKind : std::uint8_t { sum, product, max, min };

}  // namespace overtake::backend
