// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "overtake/nn/trainer.hpp"

namespace overtake::nn {

/// Rows that are computed at a time when training ends, at least.
inline constexpr std::int64_t judged_rows = 1024;

/// Loss and error of a model on a fixed data set, as a compiled plan in evaluation mode. It reads the buffers that the
/// parameters had when it was made, so it follows a training plan that updates them in place.
class Evaluator {
 public:
  /// Data on the model's device, at least one row. `batch` rows are computed at a time, in the precision.
  Evaluator(Module& model, const Loss& loss, const Array& inputs, const Array& targets, std::int64_t batch,
            Precision precision);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  [[nodiscard]] Evaluation run();
  [[nodiscard]] double compile_seconds() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace overtake::nn
