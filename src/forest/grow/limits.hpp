// SPDX-License-Identifier: MIT
// Views of one job that cut its trees alike share the work of scoring: a Limits is what they have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"

namespace overtake::forest {

/// A way to cut the trees of a job short, and the views that do it, by their number of trees ascending.
struct Limits {
  std::int32_t job = 0;
  View view;  ///< its limits; `trees` is the most of any
  struct Member {
    std::int32_t view = 0;  ///< index into the views given
    std::int32_t trees = 0;
  };
  std::vector<Member> members;
};

/// The distinct limits, ordered by job.
[[nodiscard]] std::vector<Limits> group_limits(std::span<const View> views);

/// Whether a node of the tree is a leaf to a view whose limits need no whole trees.
[[nodiscard]] inline bool cuts(const View& view, const NodeRecord& node) noexcept {
  return node.feature < 0 || node.depth >= view.max_depth || node.samples < view.min_samples_split;
}

}  // namespace overtake::forest
