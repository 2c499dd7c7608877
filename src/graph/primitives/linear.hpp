// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node.hpp"

namespace overtake::graph {

/// True for a matrix product that is not yet evaluated.
[[nodiscard]] bool is_matmul(const Node& node);

}  // namespace overtake::graph
