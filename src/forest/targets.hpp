// SPDX-License-Identifier: MIT
// Targets and weights as the whole numbers that trees are grown from.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "forest/growth.hpp"
#include "overtake/data_set.hpp"
#include "overtake/forest.hpp"

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
/// `row` is empty where every training row weighs 1. `scale` is 1 where all weights are whole and their sum stays below
/// 2^31 (weight_bound), else the largest power of two with which it does, half a unit of rounding a row included. A row
/// that weighs less than half a unit then is not seen by trees.
///
/// Throws DataError for weights of the wrong number, negative, not finite, or all 0; UsageError for class weights of a
/// class that is not there (naming the nearest).
[[nodiscard]] Weights make_weights(const Dataset& data, const TrainingRows& training,
                                   std::span<const float> sample_weight, const ClassWeight& class_weight,
                                   std::span<const std::string> class_names);

/// A bound on the fixed-point weight of all rows of any tree. With unequal weights and bootstrap it is the bound that a
/// tree's draws exceed with probability 2^-100 (Bernstein's inequality), where that is less than every draw being the
/// heaviest row: weights would lose too many bits otherwise.
[[nodiscard]] double weight_bound(const Weights& weights, const TrainingRows& training);

/// A bound on weight_bound of every fold of a data set with these sample weights, however many rows are drawn: targets
/// in fixed point must not depend on what else is trained beside them. `rows`: of the data set.
[[nodiscard]] double largest_weight_bound(std::int64_t rows, std::span<const float> sample_weight);

/// Targets of a data set: labels, or numbers in fixed point.
///
/// `total_weight`: no less than the weight_bound of any weights used with these targets (largest_weight_bound); at most
/// 2^31.
/// For numbers: `shift` is the mean of all rows as a float32 (0 for poisson), so that y - shift is mostly exact;
/// `scale` and `square_scale` are powers of two, as large as keeps every sum of weight * number below 2^62. For poisson
/// `squares` holds y ln y * square_scale instead, which is what its impurity needs.
///
/// Throws DataError for a data set without labels or targets, labels that are not classes, targets that are not finite,
/// and for poisson negative targets or a sum that is not positive.
[[nodiscard]] Targets make_targets(const Dataset& data, Criterion criterion, double total_weight);

}  // namespace overtake::forest
