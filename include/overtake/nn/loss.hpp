// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "overtake/array.hpp"

namespace overtake::nn {

/// What a loss function gives: one value, or the losses themselves.
enum class Reduction : std::uint8_t { mean, sum, none };

/// Weights and reduction of mse_loss, l1_loss, huber_loss and smooth_l1_loss. `none` gives the losses in the output's
/// shape, times their weights; `sum` adds them up; `mean` divides that by the sum of the weights (all 1 where there are
/// none), as PyTorch's mse_loss does.
struct LossOptions {
  Reduction reduction = Reduction::mean;
  Array weight{};         ///< of each element; broadcast to the output's shape, (rows,) being taken for (rows, 1)
  Array sample_weight{};  ///< of each row: (rows,)
};

/// Weights and reduction of binary_cross_entropy_with_logits, as PyTorch has them: `mean` divides by the number of
/// elements whatever `weight` and `pos_weight` are, and by the sum of the sample weights where there are such.
struct BinaryCrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  Array weight{};         ///< of each element; broadcast to the output's shape, (rows,) being taken for (rows, 1)
  Array pos_weight{};     ///< of the term -t log s(x), of each output: broadcast to the output's shape
  Array sample_weight{};  ///< of each row: (rows,)
};

/// Weights and reduction of cross_entropy. With class weights w, row i has the loss
/// -(1 - e) w[label] log p[label] - e / classes * sum over c of w[c] log p[c], where e is the label smoothing; `mean`
/// divides the sum over rows by the sum of w[label], both as PyTorch does, and both times the sample weights.
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  Array weight{};                              ///< of each class: (classes,)
  Array sample_weight{};                       ///< of each row: (rows,)
  double label_smoothing = 0;                  ///< in [0, 1)
  std::optional<std::int32_t> ignore_index{};  ///< rows of this label count for nothing (PyTorch's default is -100)
};

/// Mean of -log softmax(logits)[label] over the rows: logits (rows, classes) float32, labels (rows,) int32. A label
/// outside the classes is a UsageError on the cpu and gives NaN elsewhere (and in compiled steps). `none` gives
/// (rows,).
///
/// Labels of the logits' shape, float32, are taken for probabilities t: -sum over c of w[c] t[c] log p[c], whose `mean`
/// divides by the number of rows (the sum of the sample weights), as PyTorch does. Throws UsageError for shapes and
/// dtypes that do not fit, a smoothing outside [0, 1), and an ignore_index of 0 and more with probabilities.
[[nodiscard]] Array cross_entropy(const Array& logits, const Array& labels, const CrossEntropyOptions& options = {});

/// Mean of (output - target)^2 over all elements. Both float32 of one shape; target may be (rows,) when output is
/// (rows, 1). Throws UsageError for other shapes, of weights, too.
[[nodiscard]] Array mse_loss(const Array& output, const Array& target, const LossOptions& options = {});

/// Mean of |output - target|; its gradient is 0 where they are equal. Shapes and errors as for mse_loss.
[[nodiscard]] Array l1_loss(const Array& output, const Array& target, const LossOptions& options = {});

/// Mean of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = output - target (Huber 1964). Shapes and
/// errors as for mse_loss; UsageError unless delta is a number above 0 of float32.
[[nodiscard]] Array huber_loss(const Array& output, const Array& target, double delta = 1,
                               const LossOptions& options = {});

/// huber_loss(delta = beta) / beta, which is l1_loss for beta = 0. Shapes and errors as for mse_loss; UsageError for a
/// negative beta.
[[nodiscard]] Array smooth_l1_loss(const Array& output, const Array& target, double beta = 1,
                                   const LossOptions& options = {});

/// Mean over all elements of max(x, 0) - x t + log(1 + exp(-|x|)), which is -t log s(x) - (1-t) log(1 - s(x)) with the
/// sigmoid s, without overflow. Targets float32 in [0, 1]; shapes and errors as for mse_loss.
[[nodiscard]] Array binary_cross_entropy_with_logits(const Array& logits, const Array& target,
                                                     const BinaryCrossEntropyOptions& options = {});

/// What a Trainer counts beside the loss.
enum class ErrorRate : std::uint8_t {
  none,
  class_error,   ///< share of rows where argmax(output) is not the label
  binary_error,  ///< share of elements where (output > 0) is not the target (0 or 1)
};

/// A loss as the Trainer takes it.
struct Loss {
  std::string name;
  /// The loss of each row: (output, target) -> (rows,). The loss of a batch is their mean. Keeping the rows apart lets
  /// a compiled step add them up without a reduction.
  std::function<Array(const Array& output, const Array& target)> rows;
  ErrorRate error_rate = ErrorRate::none;

  /// The mean of `rows`, a one-element array: what a hand-written loop differentiates.
  [[nodiscard]] Array operator()(const Array& output, const Array& target) const;

  [[nodiscard]] static Loss cross_entropy();
  /// With class weights and label smoothing; the rows are scaled so that the mean of a batch is that of
  /// nn::cross_entropy. Labels are int32. Throws UsageError for a reduction other than `mean`, sample weights (a batch
  /// is some of the rows), an ignore_index, and a smoothing outside [0, 1).
  [[nodiscard]] static Loss cross_entropy(const CrossEntropyOptions& options);
  [[nodiscard]] static Loss mse();
  [[nodiscard]] static Loss l1();
  /// Throw UsageError as huber_loss and smooth_l1_loss do.
  [[nodiscard]] static Loss huber(double delta = 1);
  [[nodiscard]] static Loss smooth_l1(double beta = 1);
  [[nodiscard]] static Loss binary_cross_entropy_with_logits();
  /// By the names "cross_entropy", "mse", "l1", "huber", "smooth_l1", "binary_cross_entropy_with_logits". Throws
  /// UsageError for another.
  [[nodiscard]] static Loss named(const std::string& name);
};

}  // namespace overtake::nn
