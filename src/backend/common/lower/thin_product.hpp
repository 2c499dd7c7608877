// SPDX-License-Identifier: MIT
// Products of few rows (or columns) by a large matrix, by a kernel of their own (product_thin.k).
#pragma once

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// True for a product whose time is that of reading one operand: at most 4 rows or columns, 64 steps of k, and 2^19
/// elements of the other operand. Smaller ones take microseconds either way. A function of shapes only.
[[nodiscard]] bool is_thin(const MatMulCore& core);

/// The kernels. Of the operand with many rows or columns one stride must be 1.
[[nodiscard]] LoweredOperation lower_thin_product(const Operation& operation, const MatMulCore& core,
                                                  const LoweringTraits& traits);

}  // namespace overtake::backend
