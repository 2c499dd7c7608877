// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "forest/grow/formulas.hpp"

namespace overtake::forest {

/// A grown tree on the host, in canonical order: depth first, left child first; `left` is the left child's index and
/// `right` the right one's.
struct GrownTree {
  std::vector<NodeRecord> nodes;
  std::vector<std::int32_t> right;
  std::vector<std::uint32_t> class_weights;  ///< nodes x classes, fixed point (classification)
  std::vector<double> means;                 ///< nodes: the weighted mean of the targets (regression)
  std::vector<double> impurities;            ///< nodes, for regression and where asked for (forest/grow/impurity.hpp)
};

}  // namespace overtake::forest
