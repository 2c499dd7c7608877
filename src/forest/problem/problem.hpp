// SPDX-License-Identifier: MIT
// What forests are grown from: binned features, targets, weights of rows, and which rows train and test.
#pragma once

#include <cstdint>
#include <vector>

#include "forest/problem/binning.hpp"
#include "overtake/data/folds.hpp"

namespace overtake::forest {

/// Targets: `labels`, or `values`. Growers make whole numbers of the values of each node (kernels/forest/split.k).
struct Targets {
  std::int32_t classes = 0;  ///< 0: regression
  std::vector<std::int32_t> labels;
  std::vector<double> values;
};

/// Weights of rows: weight(tree, row) = draws of the row x row[row] x the class factor. Fixed point: rounded to a whole
/// number after multiplying with `scale`, a power of two (1 where all weights are whole numbers), but to 1 where less
/// is not 0. The sum over any tree's rows stays below 2^31 (with unequal weights and bootstrap: but for a chance of
/// 2^-100).
struct Weights {
  std::vector<double> row;         ///< empty: 1 each
  bool balance_each_tree = false;  ///< class_weight = balanced_subsample: factors from each tree's drawn rows
  double scale = 1;
};

/// Everything that growers share: goes to the device once.
struct Problem {
  BinnedData data;
  Targets targets;
  std::vector<Fold> folds;
  std::vector<Weights> weights;
};

}  // namespace overtake::forest
