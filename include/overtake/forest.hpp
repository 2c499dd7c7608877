// SPDX-License-Identifier: MIT
/// Random forests and extra trees.
#pragma once

#include "overtake/forest/forest.hpp"      // a trained forest: predictions, exports, its file
#include "overtake/forest/parameters.hpp"  // scikit-learn's parameters
#include "overtake/forest/training.hpp"    // train_forest, classifier and regressor
