// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::optim {

/// The learning rate of each epoch as a closed formula (epochs count from 0). Plain data; make one with the functions.
/// A Trainer takes it as TrainerOptions::schedule; in a loop by hand LRScheduler (scheduler.hpp) sets it.
struct Schedule {
  enum class Kind : std::uint8_t { constant, step, cosine, exponential, multi_step, linear };
  Kind kind = Kind::constant;
  int period = 1;      ///< step: epochs between two drops; cosine: epochs of the half wave; linear: epochs of the ramp
  double gamma = 1;    ///< step, multi_step, exponential: factor
  double minimum = 0;  ///< cosine: the lowest rate
  double start_factor = 1;        ///< linear: factor of the first epoch
  double end_factor = 1;          ///< linear: factor from epoch `period` on
  std::vector<int> milestones{};  ///< multi_step: the epochs of the drops, in rising order
  int warmup_epochs = 0;          ///< epochs before the formula begins, see after_warmup()
  double warmup_factor = 1;       ///< factor of the first of them

  /// StepLR: base * gamma^(epoch / step_size). Throws UsageError unless step_size >= 1.
  [[nodiscard]] static Schedule step_lr(int step_size, double gamma = 0.1);
  /// MultiStepLR: base * gamma^(number of milestones <= epoch). Throws UsageError unless there are milestones, each at
  /// least 1 and none below the one before (one that stands twice counts twice, as in PyTorch).
  [[nodiscard]] static Schedule multi_step_lr(std::vector<int> milestones, double gamma = 0.1);
  /// CosineAnnealingLR: minimum + (base - minimum) (1 + cos(pi epoch / t_max)) / 2. Throws UsageError unless t_max
  /// >= 1.
  [[nodiscard]] static Schedule cosine_annealing_lr(int t_max, double minimum = 0);
  /// ExponentialLR: base * gamma^epoch. Throws UsageError, as step_lr does, unless gamma is a number above 0.
  [[nodiscard]] static Schedule exponential_lr(double gamma);
  /// LinearLR: base * (start_factor + (end_factor - start_factor) min(epoch, total_iters) / total_iters). Throws
  /// UsageError unless 0 < start_factor <= 1, 0 <= end_factor <= 1 and total_iters >= 1.
  [[nodiscard]] static Schedule linear_lr(double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5);
  /// This schedule after a linear warm-up: epochs 0 to `epochs` - 1 have base * (start + (1 - start)
  /// epoch / epochs), then this one begins at its epoch 0. PyTorch's SequentialLR of a LinearLR and this one. Throws
  /// UsageError unless epochs >= 1 and 0 < start <= 1.
  [[nodiscard]] Schedule after_warmup(int epochs, double start = 1.0 / 3) const;

  /// "constant", "step:EPOCHS[:FACTOR]", "cosine" (half a wave over all `epochs`) or "exponential:FACTOR". Throws
  /// UsageError.
  [[nodiscard]] static Schedule parse(std::string_view text, int epochs);

  /// Throws UsageError for members that the functions above would refuse.
  void check() const;
  /// The same, and for a rate that float32 cannot hold in one of the first `epochs` epochs, naming the epoch.
  void check(double base, int epochs) const;
  [[nodiscard]] double at(double base, int epoch) const;
  /// "StepLR(step_size=30, gamma=0.1)"; with a warm-up "LinearLR(start_factor=0.1, total_iters=5) then StepLR(...)".
  [[nodiscard]] std::string describe() const;
};

}  // namespace overtake::optim
