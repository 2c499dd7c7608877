// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest/forest.hpp"

namespace overtake::forest {

/// Fills in oob_prediction, oob_rows and oob_score: every training row is predicted by the trees that did not draw it;
/// rows that every tree drew are NaN and are not scored (Breiman 2001). Accuracy for classes, r2 for numbers; no score
/// where it is not defined: no row to score, or r2 of a single one.
void add_out_of_bag(Forest& forest, const Problem& problem, const ForestJob& job, const Dataset& data);

/// Rows of oob_prediction that hold one: those that some tree did not draw.
[[nodiscard]] std::int64_t rows_out_of_bag(const Forest& forest);

/// What a reader of the out-of-bag score must know: rows that it does not judge, or why there is none. Empty where all
/// rows are judged or none were asked for.
[[nodiscard]] std::string out_of_bag_note(const Forest& forest);

}  // namespace overtake::forest
