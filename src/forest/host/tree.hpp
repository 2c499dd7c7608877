// SPDX-License-Identifier: MIT
// Grows one tree on one thread of the CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/stop.hpp"

namespace overtake::forest {

/// Grows trees one after the other, reusing its working memory. One for each thread.
class HostTreeGrower {
 public:
  virtual ~HostTreeGrower() = default;
  /// Tree number `tree` of `job`, in canonical order (docs/forests.md); with the impurities of numbers if asked for.
  /// Nothing when `stop`, asked at every feature of every node, said so before the tree was whole.
  [[nodiscard]] virtual std::optional<GrownTree> grow(const ForestJob& job, std::int32_t tree, bool impurities,
                                                      const StopToken* stop) = 0;
};

[[nodiscard]] std::unique_ptr<HostTreeGrower> make_host_tree_grower(const Problem& problem);

}  // namespace overtake::forest
