// SPDX-License-Identifier: MIT
// Which epoch is the best so far, and when patience has run out: one rule for a training as it runs and for its record.
#pragma once

#include <limits>
#include <span>

#include "overtake/nn/trainer.hpp"

namespace overtake::nn {

/// The epoch with the lowest monitored loss so far; epoch 0: none yet.
struct Best {
  int epoch = 0;
  double loss = std::numeric_limits<double>::infinity();
};

/// The validation loss, or the training loss where there is no validation data.
[[nodiscard]] inline double monitored(const EpochRecord& record, bool validates) {
  return validates ? record.validation_loss : record.train_loss;
}

/// False for a loss that is NaN or infinite.
[[nodiscard]] inline bool improves(double loss, const Best& best, double min_delta) {
  return loss < best.loss - min_delta;
}

/// True when `patience` epochs have passed since the best one. A patience of 0 never runs out.
[[nodiscard]] inline bool is_exhausted(int patience, int epoch, const Best& best) {
  return patience > 0 && epoch - best.epoch >= patience;
}

/// The first epoch of a record after which patience had run out, or 0.
[[nodiscard]] inline int exhausted_at(std::span<const EpochRecord> history, const TrainerOptions& options,
                                      bool validates) {
  Best best;
  for (const EpochRecord& record : history) {
    const double loss = monitored(record, validates);
    if (improves(loss, best, options.min_delta)) best = {record.epoch, loss};
    if (is_exhausted(options.patience, record.epoch, best)) return record.epoch;
  }
  return 0;
}

}  // namespace overtake::nn
