// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node.hpp"

namespace overtake::graph {

/// True for a matrix product that is not yet evaluated.
[[nodiscard]] bool is_matmul(const Node& node);

/// (m, k) x (k, n) -> (m, n) of float32 arrays whose shapes fit, or of bfloat16 ones, multiplied exactly: float32
/// either way. In current_precision(): bf16 rounds float32 operands first.
[[nodiscard]] Array float_matmul(const Array& a, const Array& b);

/// The transpose of a node that is_matmul(), as a product of the same kind.
[[nodiscard]] Array transposed_matmul(const Node& node);

}  // namespace overtake::graph
