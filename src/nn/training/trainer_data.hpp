// SPDX-License-Identifier: MIT
// What a Trainer does with its data before the first step: check, split, move.
#pragma once

#include <algorithm>
#include <cstdint>

#include "overtake/nn/trainer.hpp"

namespace overtake::nn {

/// Rows to learn from, and the rows (perhaps none: undefined arrays) to validate on.
struct TrainingData {
  Array inputs;
  Array targets;
  Array validation_inputs;
  Array validation_targets;

  [[nodiscard]] bool has_validation() const { return validation_inputs.defined(); }
  [[nodiscard]] std::int64_t rows() const { return inputs.shape()[0]; }
  /// Rows of a full batch of at most `batch_size`.
  [[nodiscard]] std::int64_t batch(std::int64_t batch_size) const { return std::min(batch_size, rows()); }
  /// The last, smaller batch is a step, too.
  [[nodiscard]] std::int64_t steps_per_epoch(std::int64_t batch_size) const {
    return (rows() + batch(batch_size) - 1) / batch(batch_size);
  }
};

/// Checks shapes and dtypes against the loss and the model; with `check_values` also looks for NaN, infinity and labels
/// outside the classes. `what` names the data in messages ("training data").
/// Throws UsageError and DataError as Trainer::fit says.
void check_data(Module& model, const Loss& loss, const Array& inputs, const Array& targets, bool check_values,
                const char* what);

/// Checks everything and sets the validation rows aside. The arrays stay where they are.
[[nodiscard]] TrainingData prepare_data(Module& model, const Loss& loss, const TrainerOptions& options,
                                        const Array& inputs, const Array& targets);

}  // namespace overtake::nn
