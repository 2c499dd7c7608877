// SPDX-License-Identifier: MIT
// What all products by panels (src/kernels/graph/panels.k) share: of matrices, and convolutions.
#pragma once

#include <functional>

#include "backend/common/lower/kernel_text.hpp"

namespace overtake::backend {

/// The kernels that a product may consist of: one; or with k split, one whose last group adds the parts up (ticket); or
/// one that writes the parts (partial) and one that adds them up (finish).
enum class ProductPhase : std::uint8_t { whole, ticket, partial, finish };

/// How an operand of a product lies in memory.
struct PanelLayout {
  bool by_k = false;    ///< neighbours in memory are neighbours in k
  bool vector = false;  ///< four neighbours can be loaded at once
};

/// A product of rows x depth by depth x columns.
struct PanelProduct {
  std::int64_t rows = 0, columns = 0, depth = 0;
  MatMulPlan plan;
  PanelLayout a, b;
  DType dtype = DType::float32;  ///< of the operands
};

/// Defines what panels.k and tiles.k need; `width`: neighbours that a call of the tape computes.
void define_panels(KernelText& text, const PanelProduct& product, ProductPhase phase, int width);

/// The last arguments before the tape's; `tickets`: ints at the start of scratch memory.
void add_split_arguments(KernelText& text, const PanelProduct& product, ProductPhase phase, std::int64_t tickets);
/// The kernel, with its groups.
[[nodiscard]] LoweredKernel finish_product(const KernelText& text, const PanelProduct& product, ProductPhase phase);

/// The product's kernels, each from `kernel_of`, and their scratch memory.
[[nodiscard]] LoweredOperation lower_in_phases(
    const PanelProduct& product, const LoweringTraits& traits,
    const std::function<LoweredKernel(ProductPhase, std::int64_t)>& kernel_of);

}  // namespace overtake::backend
