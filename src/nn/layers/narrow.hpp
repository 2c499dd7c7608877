// SPDX-License-Identifier: MIT
// Layers that multiply, in bfloat16: operands and results are rounded to it, sums are taken in float32.
#pragma once

#include "overtake/array.hpp"
#include "overtake/ops/elements.hpp"
#include "overtake/precision.hpp"

namespace overtake::nn {

/// Whether a layer computes so: current_precision() says it, or what comes in is of that type already.
[[nodiscard]] inline bool is_narrow(const Array& input) {
  return input.dtype() == DType::bfloat16 ||
         (current_precision() == Precision::bf16 && input.dtype() == DType::float32);
}

/// Rounded to bfloat16, as float32: products see that they may be taken in bfloat16.
[[nodiscard]] inline Array rounded(const Array& a) { return astype(astype(a, DType::bfloat16), DType::float32); }

}  // namespace overtake::nn
