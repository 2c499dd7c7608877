// SPDX-License-Identifier: MIT
#include "forest/grow/limits.hpp"

#include <algorithm>
#include <tuple>

namespace overtake::forest {
namespace {

auto key_of(const View& view) {
  return std::tuple(view.job, view.max_depth, view.min_samples_split, view.min_impurity_decrease, view.max_leaf_nodes,
                    view.ccp_alpha);
}

}  // namespace

std::vector<Limits> group_limits(std::span<const View> views) {
  std::vector<std::int32_t> order(views.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return std::tuple(key_of(views[a]), views[a].trees, a) < std::tuple(key_of(views[b]), views[b].trees, b);
  });
  std::vector<Limits> groups;
  for (const std::int32_t index : order) {
    const View& view = views[index];
    if (groups.empty() || key_of(groups.back().view) != key_of(view)) groups.push_back({view.job, view, {}});
    groups.back().view.trees = view.trees;
    groups.back().members.push_back({index, view.trees});
  }
  return groups;
}

}  // namespace overtake::forest
