// SPDX-License-Identifier: MIT
// Trees as predictions walk them, and the predictions of a forest with them: what is worth keeping from call to call.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "overtake/forest/forest.hpp"

namespace overtake::forest {

/// A node with all that a walk needs side by side. A leaf leads to itself.
struct Step {
  double threshold = 0;
  std::int32_t feature = 0;
  bool nan_left = false;
  std::array<std::int32_t, 2> child{};  ///< right, left; counted from the tree's root

  [[nodiscard]] std::int32_t next(const float* row) const noexcept {
    const float value = row[feature];
    const bool left = (static_cast<double>(value) <= threshold) | (std::isnan(value) & nan_left);
    return child[left ? 1 : 0];
  }
};

/// The trees of a forest, one behind the other: 24 bytes a node.
class Walks {
 public:
  explicit Walks(std::span<const Tree> trees);
  /// The leaves that `count` rows of `features` values reach in a tree.
  void find_leaves(std::int64_t tree, const float* rows, std::int64_t features, std::int64_t count,
                   std::int32_t* leaves) const noexcept;
  /// The nodes that a row passes in the first tree, root first.
  [[nodiscard]] std::vector<std::int32_t> path(const float* row) const;

 private:
  std::vector<Step> steps_;
  std::vector<std::size_t> roots_;
};

/// Forest::predict_proba(), predict_values(), predict() and apply() by walks that are there; the same bits.
[[nodiscard]] std::vector<double> predict_shares(const Forest& forest, const Walks& walks,
                                                 std::span<const float> inputs);
[[nodiscard]] std::vector<double> predict_values(const Forest& forest, const Walks& walks,
                                                 std::span<const float> inputs);
[[nodiscard]] std::vector<std::int32_t> predict_classes(const Forest& forest, const Walks& walks,
                                                        std::span<const float> inputs);
[[nodiscard]] std::vector<std::int32_t> find_leaves(const Forest& forest, const Walks& walks,
                                                    std::span<const float> inputs);

}  // namespace overtake::forest
