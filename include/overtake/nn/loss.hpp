// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "overtake/array.hpp"

namespace overtake::nn {

/// Mean of -log softmax(logits)[label] over the rows: logits (rows, classes) float32, labels (rows,) int32.
/// A label outside the classes gives NaN.
[[nodiscard]] Array cross_entropy(const Array& logits, const Array& labels);

/// Mean of (output - target)^2 over all elements. Both of one shape; target may be (rows,) when output is (rows, 1).
[[nodiscard]] Array mse_loss(const Array& output, const Array& target);

/// Mean over all elements of max(x, 0) - x t + log(1 + exp(-|x|)), which is -t log s(x) - (1-t) log(1 - s(x)) with the
/// sigmoid s, without overflow. Targets float32 in [0, 1]; shapes as for mse_loss.
[[nodiscard]] Array binary_cross_entropy_with_logits(const Array& logits, const Array& target);

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
  [[nodiscard]] static Loss mse();
  [[nodiscard]] static Loss binary_cross_entropy_with_logits();
  /// By the names "cross_entropy", "mse", "binary_cross_entropy_with_logits". Throws UsageError for another.
  [[nodiscard]] static Loss named(const std::string& name);
};

}  // namespace overtake::nn
