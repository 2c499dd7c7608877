// SPDX-License-Identifier: MIT
#include "overtake/optim/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "overtake/error.hpp"

namespace overtake::optim {

LRScheduler::LRScheduler(Optimizer& optimizer, Schedule schedule)
    : optimizer_(optimizer), schedule_(std::move(schedule)), base_(optimizer.learning_rate()) {
  schedule_.check();
  optimizer_.set_learning_rate(schedule_.at(base_, 0));
}

void LRScheduler::step() {
  optimizer_.set_learning_rate(schedule_.at(base_, epoch_ + 1));
  ++epoch_;
}

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : optimizer_(optimizer),
      options_(options),
      best_(options.mode == PlateauMode::min ? std::numeric_limits<double>::infinity()
                                             : -std::numeric_limits<double>::infinity()) {
  if (!(options.factor >= 0 && options.factor < 1)) {
    throw UsageError(fmt::format("[ReduceLROnPlateau] factor {}, expected 0 <= factor < 1", options.factor),
                     "The rate is multiplied by the factor: 0.1 is usual.");
  }
  if (options.patience < 0 || options.cooldown < 0 || !(options.threshold >= 0) || !(options.min_lr >= 0) ||
      !(options.eps >= 0)) {
    throw UsageError(
        fmt::format("[ReduceLROnPlateau] patience {}, cooldown {}, threshold {}, min_lr {} and eps {}, "
                    "expected numbers of at least 0",
                    options.patience, options.cooldown, options.threshold, options.min_lr, options.eps));
  }
}

bool ReduceLROnPlateau::improves(double metric) const noexcept {
  const bool lower = options_.mode == PlateauMode::min;
  const bool relative = options_.threshold_mode == ThresholdMode::rel;
  const double sign = lower ? -1 : 1;
  const double limit = relative ? best_ * (1 + sign * options_.threshold) : best_ + sign * options_.threshold;
  return lower ? metric < limit : metric > limit;
}

void ReduceLROnPlateau::step(double metric) {
  if (improves(metric)) {
    best_ = metric;
    bad_steps_ = 0;
  } else {
    ++bad_steps_;
  }
  if (cooldown_left_ > 0) {
    --cooldown_left_;
    bad_steps_ = 0;
  }
  if (bad_steps_ <= options_.patience) return;
  reduce();
  cooldown_left_ = options_.cooldown;
  bad_steps_ = 0;
}

void ReduceLROnPlateau::reduce() {
  const double rate = optimizer_.learning_rate();
  const double lower = std::max(rate * options_.factor, options_.min_lr);
  if (rate - lower > options_.eps) optimizer_.set_learning_rate(lower);
}

}  // namespace overtake::optim
