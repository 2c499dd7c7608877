// SPDX-License-Identifier: MIT
#pragma once

#include "forest/growth.hpp"

namespace overtake::forest {

/// Fills in oob_prediction and oob_score: every training row is predicted by the trees that did not draw it; rows that
/// every tree drew are NaN and are not scored (Breiman 2001). Accuracy for classes, r2 for numbers.
void add_out_of_bag(Forest& forest, const Problem& problem, const ForestJob& job, const Dataset& data);

}  // namespace overtake::forest
