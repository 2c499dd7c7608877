// SPDX-License-Identifier: MIT
// Targets and weights as trees are grown from them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "forest/problem/problem.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {

/// The rows of one fold and how trees draw from them.
struct TrainingRows {
  std::span<const std::int32_t> rows;
  std::int64_t draws = 0;  ///< with bootstrap: rows drawn with replacement; 0: each row once
};

/// The weights of a fold's rows: sample weight times class weight.
///
/// `sample_weight`: empty, or one finite number >= 0 a row of the data set. `class_names`: empty (classes are called
/// "0", "1", ...) or one a class. Class weights as in scikit-learn: `balanced` is n / (k n_c) with the n training rows,
/// the k classes among them and the n_c rows of the class, whatever the sample weights are; `balanced_subsample` is
/// worked out for each tree, and without bootstrap is the same as `balanced`.
///
/// `row` is empty where every training row weighs 1. `scale` is 1 where all weights are whole and their sum over any
/// tree's rows stays below 2^31, else the largest power of two with which it does, a unit of rounding a row included.
/// With unequal weights and bootstrap the bound on that sum is the one that a tree's draws exceed with probability
/// 2^-100 (Bernstein's inequality), where that is less than every draw being the heaviest row: weights would lose too
/// many bits otherwise.
///
/// Throws what check_sample_weights throws, DataError for weights that are all 0, UsageError for class weights of a
/// class that is not there (naming the nearest).
[[nodiscard]] Weights make_weights(const Dataset& data, const TrainingRows& training,
                                   std::span<const float> sample_weight, const ClassWeight& class_weight,
                                   std::span<const std::string> class_names);

/// The rows of `rows` that weigh something, but less than one draw of them can be held as (Weights::scale): they count
/// as that much.
[[nodiscard]] std::int64_t count_too_light(const Weights& weights, std::span<const std::int32_t> rows);

/// Targets of a data set: labels, or numbers (where -0 becomes 0).
///
/// Throws DataError for a data set without labels or targets, labels that are not classes, targets that are not finite
/// or beyond 1e100 in size (their squares could not be summed up), and for poisson negative targets or a sum that is
/// not positive.
[[nodiscard]] Targets make_targets(const Dataset& data, Criterion criterion);

}  // namespace overtake::forest
