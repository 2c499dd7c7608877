// SPDX-License-Identifier: MIT
// A small forest made by hand, for the tests of prediction, files and exports.
#pragma once

#include <limits>

#include "overtake/forest.hpp"

namespace overtake::testing {

/// Two trees over (length, width) and three classes:
///   tree 0: length <= 2.5: red; else width <= 1.5 (missing: left): green, else blue
///   tree 1: one leaf, 1/2 green, 1/2 blue
inline Forest small_forest() {
  const double none = std::numeric_limits<double>::quiet_NaN();
  Forest forest;
  forest.parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  forest.parameters.n_estimators = 2;
  forest.features = 2;
  forest.classes = 3;
  forest.feature_names = {"length", "width"};
  forest.class_names = {"red", "green", "blue"};
  Tree first;
  first.feature = {0, -1, 1, -1, -1};
  first.threshold = {2.5, none, 1.5, none, none};
  first.nan_left = {0, 0, 1, 0, 0};
  first.left = {1, -1, 3, -1, -1};
  first.right = {2, -1, 4, -1, -1};
  first.impurity = {0.66, 0, 0.5, 0, 0};
  first.samples = {6, 2, 4, 2, 2};
  first.weighted_samples = {6, 2, 4, 2, 2};
  first.value = {0.34, 0.33, 0.33, 1, 0, 0, 0, 0.5, 0.5, 0, 1, 0, 0, 0, 1};
  Tree second;
  second.feature = second.left = second.right = {-1};
  second.threshold = {none};
  second.nan_left = {0};
  second.impurity = {0.5};
  second.samples = {4};
  second.weighted_samples = {6};
  second.value = {0, 0.5, 0.5};
  forest.trees = {first, second};
  forest.feature_importances = {0.4, 0.6};
  return forest;
}

/// The first tree as numbers: -1, 2 and 5 in the leaves.
inline Forest small_regression() {
  Forest forest = small_forest();
  forest.parameters = ForestParameters::defaults(ForestKind::extra_trees, Task::regression);
  forest.parameters.n_estimators = 2;
  forest.classes = 0;
  forest.class_names.clear();
  forest.trees[0].value = {2, -1, 3.5, 2, 5};
  forest.trees[1].value = {1};
  return forest;
}

}  // namespace overtake::testing
