// SPDX-License-Identifier: MIT
// What trees on some data look like, from a few trees on a sample of it.
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {

/// The split nodes of one tree grown without limits.
struct TreeProfile {
  struct Level {
    double nodes = 0;
    double rows = 0;  ///< of those nodes
  };
  struct Node {
    double rows = 0, depth = 0;
  };
  double sample = 0;          ///< rows that the tree was grown on
  std::vector<Level> levels;  ///< by depth
  std::vector<Node> sizes;    ///< of the split nodes, by rows, descending

  [[nodiscard]] double nodes() const noexcept { return static_cast<double>(sizes.size()); }
  [[nodiscard]] double moves() const noexcept;
};

/// Limits that cut a tree short.
struct TreeLimits {
  double depth = 1e9;
  double least_rows = 2;  ///< a node of fewer rows is a leaf
};

/// What one tree on `rows` rows is expected to have.
struct TreeForecast {
  double nodes = 0;                         ///< split
  double moves = 0;                         ///< rows of split nodes
  double small_nodes = 0, small_moves = 0;  ///< of those with fewer than small_node_rows rows
  bool is_large = false;                    ///< it has more than large_node_rows rows
};

/// Two trees, the second on four times the rows of the first, show how trees grow with the rows.
class Pilot {
 public:
  /// Grows them with the parameters, but without limits. Deterministic.
  Pilot(const Dataset& data, ForestParameters parameters);
  [[nodiscard]] TreeForecast tree(double rows, const TreeLimits& limits) const;
  /// Distinct values of a feature in the sample, the mean over features.
  [[nodiscard]] double distinct() const noexcept { return distinct_; }

 private:
  struct Growth {
    double rows = 1, nodes = 0, stretch = 1;
  };
  struct AtLeast {
    double nodes = 0, moves = 0;
  };
  [[nodiscard]] Growth growth_to(double rows) const;
  [[nodiscard]] AtLeast at_least(double rows, const Growth& growth, double depth = 1e9) const;

  double distinct_ = 0;
  TreeProfile small_, large_;
  double bootstrap_share_ = 1;  ///< distinct rows of a tree
};

}  // namespace overtake::forest
