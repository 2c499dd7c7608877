// SPDX-License-Identifier: MIT
// The first half of planning: which nodes take part, and which of them are computed together in one operation.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "graph/node.hpp"
#include "graph/primitive.hpp"

namespace overtake::graph {

/// A node that takes part in a plan. Indices point into Partition::nodes.
struct PlannedNode {
  Node* node = nullptr;
  NodeKind kind = NodeKind::leaf;
  std::vector<int> inputs;
  std::vector<int> users;  ///< element-wise and core nodes that read it, directly or through views
  int group = -1;          ///< the operation that computes it (element-wise and core nodes)
  int inlined_into = -1;   ///< the reduction that computes it on the fly, instead of a group
  bool floating = false;   ///< to be computed by the group of its only user
  bool target = false;     ///< the caller wants its value
  bool stored = false;     ///< its value must be in memory
  bool turned = false;     ///< a pool that gives its windows with the channels first
};

/// An input as it lies in memory: the base node that holds the values and the layout of the view on it.
struct Resolved {
  int base = -1;
  Layout layout;
  bool whole = false;  ///< all of the base, in its own order
};

/// What nodes add to the tape of an operation, at most.
struct Cost {
  int loads = 0;
  int instructions = 0;

  friend Cost operator+(Cost a, Cost b) { return {a.loads + b.loads, a.instructions + b.instructions}; }
  [[nodiscard]] bool within(const backend::FusionLimits& limits) const {
    return loads <= limits.loads && instructions <= limits.instructions;
  }
};

/// Nodes computed by one operation: at most one core, then element-wise nodes in creation order. Groups run in the
/// order of their index; a group reads only leaves and earlier groups.
struct Group {
  int core = -1;
  Shape extent;
  std::vector<int> members;  ///< element-wise nodes
  Cost cost;                 ///< of its tapes, at most
  int sums = -1;             ///< a sum by channels that the core, a gradient of pooling, gives beside its results
  int summed = -1;           ///< the member (or the core) whose values are added up
};

struct Partition {
  std::vector<PlannedNode> nodes;  ///< ascending ids: inputs come first
  std::vector<Resolved> resolved;  ///< of each node: itself, or what a view looks at
  std::vector<Group> groups;

  [[nodiscard]] const Resolved& resolve(int index) const { return resolved[static_cast<std::size_t>(index)]; }
};

/// Gathers everything the targets need and groups it. A target must be an element-wise or core node without a buffer.
///
/// Fusion rule: an element-wise node joins the latest group that computes one of its inputs, if it reads that group's
/// values element by element and the extents agree; otherwise it floats down to its only element-wise user, or opens a
/// group. Chains that only feed a reduction are inlined into it. No operation exceeds the limits of the targets'
/// device. Takes time in proportion to the nodes, and no more stack for deep graphs than for shallow ones.
[[nodiscard]] Partition partition(std::span<const std::shared_ptr<Node>> targets, const backend::FusionLimits& limits);

/// A step of partition() before users are known: copies that only give pooled images another order of axes become
/// views, because pooling can write, and its gradient read, that order itself. For layers that flatten images; only
/// where the images are small, since a large copy is faster than reads far from each other.
void absorb_copies(Partition& plan);

/// The last step of partition(): distributes nodes whose kind, inputs and users are known among groups.
void make_groups(Partition& plan, const backend::FusionLimits& limits);

/// A step of partition() behind the groups, for devices that take it: sums by channels of what a gradient of pooling
/// stores become part of its operation, so that large gradients are not read once more for a bias.
void absorb_sums(Partition& plan);

/// Strides over `extent` for a layout given over `shape` (same number of elements, same row-major order); false when no
/// such strides exist.
[[nodiscard]] bool restride(const Shape& shape, const Layout& layout, const Shape& extent, Layout& result);

}  // namespace overtake::graph
