// SPDX-License-Identifier: MIT
// The second half of planning: from groups of nodes to a schedule that a backend can compile.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "graph/node.hpp"

namespace overtake::graph {

/// After the plan has run, the buffer of `leaf` holds the value of `value`.
struct Update {
  std::shared_ptr<Node> leaf;
  std::shared_ptr<Node> value;
};

/// A schedule and what its external slots stand for.
struct Plan {
  backend::Schedule schedule;
  /// For each slot: the node whose buffer the caller binds (a leaf to read or update, or a target to write); null for
  /// arena slots.
  std::vector<Node*> external;
};

/// Plans the computation of `targets` (element-wise or core nodes without a buffer) and of `updates`, whose values must
/// be among the targets, each at most once. An update happens in place when nothing reads the old value later;
/// otherwise the value goes to the arena and is copied at the end.
/// `limits` is for the operations; without it, those of the targets' device.
[[nodiscard]] Plan make_plan(std::span<const std::shared_ptr<Node>> targets, std::span<const Update> updates,
                             std::optional<backend::FusionLimits> limits = {});

}  // namespace overtake::graph
