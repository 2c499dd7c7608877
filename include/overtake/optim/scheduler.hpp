// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "overtake/optim/optimizer.hpp"
#include "overtake/optim/schedule.hpp"

/// Schedulers that set an optimiser's learning rate in a loop by hand, as torch.optim.lr_scheduler has them.
namespace overtake::optim {

/// Follows a Schedule: LRScheduler scheduler(optimizer, Schedule::step_lr(30)); then step() once after each epoch.
///
/// The base rate is the optimiser's as the scheduler is made, which sets the rate of epoch 0 at once.
class LRScheduler {
 public:
  /// The optimiser must live as long as this. Throws UsageError as Schedule::check() does.
  LRScheduler(Optimizer& optimizer, Schedule schedule);

  /// Goes on to the next epoch and sets its rate. Throws UsageError for a rate that float32 cannot hold.
  void step();
  /// The rate as it was set last.
  [[nodiscard]] double last_lr() const noexcept { return optimizer_.learning_rate(); }
  /// The epoch whose rate is set, from 0.
  [[nodiscard]] int last_epoch() const noexcept { return epoch_; }

 private:
  Optimizer& optimizer_;
  Schedule schedule_;
  double base_;
  int epoch_ = 0;
};

/// Which way a metric improves.
enum class PlateauMode : std::uint8_t { min, max };
/// How `threshold` counts: as a share of the best metric, or as a difference.
enum class ThresholdMode : std::uint8_t { rel, abs };

struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;      ///< of the rate at each reduction, below 1
  int patience = 10;        ///< steps in a row without an improvement that are let pass
  double threshold = 1e-4;  ///< what counts as an improvement, see ThresholdMode
  ThresholdMode threshold_mode = ThresholdMode::rel;
  int cooldown = 0;   ///< steps after a reduction in which none counts as bad
  double min_lr = 0;  ///< the rate goes no lower
  double eps = 1e-8;  ///< a reduction by no more than this is left out
};

/// Lowers the rate when a metric has stopped improving: with `rel`, a metric below best (1 - threshold) is an
/// improvement (`max`: above best (1 + threshold)), with `abs` one below best - threshold (above best + threshold).
/// After more than `patience` steps without one, the rate becomes max(rate * factor, min_lr). NaN is no improvement.
/// With a Trainer call step() in TrainingObserver::on_epoch(); what it has counted is in no checkpoint.
class ReduceLROnPlateau {
 public:
  /// The optimiser must live as long as this. Throws UsageError unless 0 <= factor < 1, and for a negative number or
  /// NaN among the others.
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});

  /// Takes the metric of an epoch, a validation loss say, and lowers the rate if it is time.
  void step(double metric);
  [[nodiscard]] double last_lr() const noexcept { return optimizer_.learning_rate(); }
  /// The best metric so far; infinite (-infinite for `max`) before the first step.
  [[nodiscard]] double best() const noexcept { return best_; }

 private:
  [[nodiscard]] bool improves(double metric) const noexcept;
  void reduce();

  Optimizer& optimizer_;
  ReduceLROnPlateauOptions options_;
  double best_;
  int bad_steps_ = 0;
  int cooldown_left_ = 0;
};

}  // namespace overtake::optim
