// SPDX-License-Identifier: MIT
#include "forest/model/walks.hpp"

#include <algorithm>

namespace overtake::forest {

Walks::Walks(std::span<const Tree> trees) {
  std::size_t nodes = 0;
  for (const Tree& tree : trees) nodes += tree.feature.size();
  steps_.reserve(nodes);
  roots_.reserve(trees.size());
  for (const Tree& tree : trees) {
    roots_.push_back(steps_.size());
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      const bool leaf = tree.feature[node] < 0;
      steps_.push_back({tree.threshold[node], leaf ? 0 : tree.feature[node], tree.nan_left[node] != 0,
                        leaf ? std::array{node, node} : std::array{tree.right[node], tree.left[node]}});
    }
  }
}

void Walks::find_leaves(std::int64_t tree, const float* rows, std::int64_t features, std::int64_t count,
                        std::int32_t* leaves) const noexcept {
  constexpr std::int64_t together = 16;  // rows side by side wait for memory together
  const Step* steps = steps_.data() + roots_[static_cast<std::size_t>(tree)];
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const std::int64_t size = std::min(together, count - begin);
    std::array<std::int32_t, together> nodes{};
    for (bool walking = true; walking;) {
      walking = false;
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int32_t next = steps[nodes[i]].next(rows + (begin + i) * features);
        walking |= next != nodes[i];
        nodes[i] = next;
      }
    }
    std::copy_n(nodes.begin(), size, leaves + begin);
  }
}

std::vector<std::int32_t> Walks::path(const float* row) const {
  std::vector<std::int32_t> nodes{0};
  for (std::int32_t next = steps_[0].next(row); next != nodes.back(); next = steps_[next].next(row)) {
    nodes.push_back(next);
  }
  return nodes;
}

}  // namespace overtake::forest
