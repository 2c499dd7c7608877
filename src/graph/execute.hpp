// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/planner.hpp"

namespace overtake::graph {

/// Computes nodes that have no buffer yet; those that have one are left alone. Plans of equal structure are compiled
/// once and kept (of each device the newest 256).
void evaluate(std::span<const std::shared_ptr<Node>> nodes);

/// Asks that the next evaluate() on this thread also computes this node, if it is still wanted by then: the loss whose
/// gradients it computes shares all of its work with them.
void evaluate_along(const std::shared_ptr<Node>& node);

/// A graph as numbers: graphs with equal words have equal plans, whatever their buffers; and those buffers, in the
/// order in which the words name them.
struct GraphStructure {
  std::vector<std::uint64_t> words;
  std::vector<std::shared_ptr<backend::Buffer>> buffers;
};
/// Throws UsageError if the graph holds nodes of a trace that is over.
[[nodiscard]] GraphStructure structure_of(std::span<const std::shared_ptr<Node>> targets);

/// The targets as the planner wants them: views and constants are wrapped into copies.
[[nodiscard]] std::shared_ptr<Node> plannable(const std::shared_ptr<Node>& node);

/// Buffers for the external slots of a plan: existing ones of leaves, fresh ones for targets (kept in the result, in
/// slot order, null elsewhere).
struct Binding {
  std::vector<backend::Buffer*> slots;
  std::vector<std::shared_ptr<backend::Buffer>> fresh;
};
[[nodiscard]] Binding bind(const Plan& plan, backend::Device& device);

}  // namespace overtake::graph
