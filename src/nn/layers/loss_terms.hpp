// SPDX-License-Identifier: MIT
// The losses of elements and rows, before they are reduced: what the functions of loss.hpp and a Trainer's losses
// share.
#pragma once

#include "overtake/array.hpp"
#include "overtake/nn/loss.hpp"

namespace overtake::nn {

/// Of each element, in the output's shape. Each throws UsageError, naming the function, for shapes that do not fit.
[[nodiscard]] Array squared_error(const Array& output, const Array& target);
[[nodiscard]] Array absolute_error(const Array& output, const Array& target);
[[nodiscard]] Array huber_error(const Array& output, const Array& target, double delta);
[[nodiscard]] Array smooth_l1_error(const Array& output, const Array& target, double beta);
[[nodiscard]] Array logistic_error(const Array& logits, const Array& target, const Array& pos_weight);

/// Throw UsageError for a width that the losses refuse.
void check_huber_delta(double delta);
void check_smooth_l1_beta(double beta);

/// The losses of the rows, times their weights, and those weights; undefined where all are 1.
struct WeightedRows {
  Array losses;
  Array weights;
};

[[nodiscard]] WeightedRows cross_entropy_terms(const Array& logits, const Array& labels,
                                               const CrossEntropyOptions& options);

/// float32 of what a layer made in bfloat16: losses are computed in it, as torch.autocast does.
[[nodiscard]] Array widened(const Array& output);

/// One weight a row, in a shape that broadcasts with `output`. Throws UsageError for another shape than (rows,).
[[nodiscard]] Array fitted_sample_weight(const char* name, const Shape& output, const Array& weight);

/// Throws UsageError for a smoothing outside [0, 1).
void check_cross_entropy(const CrossEntropyOptions& options);

}  // namespace overtake::nn
