// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace overtake::forest {

/// A node as growers make it. 32 bytes; the kernels know this layout (kernels/forest/nodes.k).
struct NodeRecord {
  std::int32_t feature = -1;  ///< -1: a leaf
  std::int32_t left = -1;     ///< child; the right one is left + 1
  std::uint32_t between = 0;  ///< bins next to the cut that occur in the node: left | right << 16; right 0xffff: only
                              ///< missing values go right
  std::uint32_t cut = 0;      ///< last bin that goes left | (missing goes left) << 16
  std::int32_t samples = 0;   ///< distinct rows
  std::uint32_t weight = 0;   ///< fixed point
  std::int32_t depth = 0;
  std::uint32_t key = 1;  ///< names the node's random numbers; extra trees: its threshold is derived from it
};
static_assert(sizeof(NodeRecord) == 32);

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
