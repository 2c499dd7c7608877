// SPDX-License-Identifier: MIT
// Linear algebra.
#pragma once

#include "overtake/array.hpp"

namespace overtake {

/// (m, k) x (k, n) -> (m, n), float32, strict fp32 arithmetic.
[[nodiscard]] Array matmul(const Array& a, const Array& b);

}  // namespace overtake
