// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node.hpp"

namespace overtake::graph {

/// True for a matrix product that is not yet evaluated.
[[nodiscard]] bool is_matmul(const Node& node);

/// (m, k) x (k, n) -> (m, n) of float32 arrays whose shapes fit.
[[nodiscard]] Array float_matmul(const Array& a, const Array& b);

}  // namespace overtake::graph
