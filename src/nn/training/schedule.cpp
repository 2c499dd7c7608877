// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/optim.hpp"

namespace overtake::optim {
namespace {

void require_factor(const char* name, double gamma) {
  if (!(gamma > 0) || !std::isfinite(gamma)) {
    throw UsageError(fmt::format("[{}] gamma {} is not a number above 0", name, gamma));
  }
}

}  // namespace

Schedule Schedule::step_lr(int step_size, double gamma) {
  const Schedule result{.kind = Kind::step, .period = step_size, .gamma = gamma};
  result.check();
  return result;
}

Schedule Schedule::cosine_annealing_lr(int t_max, double minimum) {
  const Schedule result{.kind = Kind::cosine, .period = t_max, .minimum = minimum};
  result.check();
  return result;
}

Schedule Schedule::exponential_lr(double gamma) {
  const Schedule result{.kind = Kind::exponential, .gamma = gamma};
  result.check();
  return result;
}

void Schedule::check() const {
  switch (kind) {
    case Kind::step:
      if (period < 1) throw UsageError(fmt::format("[StepLR] step_size {} must be at least 1", period));
      return require_factor("StepLR", gamma);
    case Kind::cosine:
      if (period < 1) throw UsageError(fmt::format("[CosineAnnealingLR] t_max {} must be at least 1", period));
      return nn::require_float("CosineAnnealingLR", "the lowest rate", minimum);
    case Kind::exponential: return require_factor("ExponentialLR", gamma);
    case Kind::constant: return;
  }
}

void Schedule::check(double base, int epochs) const {
  check();
  const auto fits = [&](int epoch) { return at(base, epoch) <= std::numeric_limits<float>::max(); };
  // Only factors above 1 raise the rate, and then the last epoch has the highest.
  if (epochs < 1 || fits(epochs - 1)) return;
  int epoch = 0;
  while (fits(epoch)) ++epoch;
  throw UsageError(
      fmt::format("[{}] the learning rate is too large for float32 from epoch {} of {}", describe(), epoch + 1, epochs),
      "Use a factor below 1, or fewer epochs.");
}

double Schedule::at(double base, int epoch) const {
  if (base == 0 && kind != Kind::cosine) return 0;  // 0 times a factor that has grown to infinity is not a number
  switch (kind) {
    case Kind::step: return base * std::pow(gamma, epoch / period);
    case Kind::cosine: return minimum + (base - minimum) * (1 + std::cos(std::numbers::pi * epoch / period)) / 2;
    case Kind::exponential: return base * std::pow(gamma, epoch);
    case Kind::constant: break;
  }
  return base;
}

std::string Schedule::describe() const {
  switch (kind) {
    case Kind::step: return fmt::format("StepLR(step_size={}, gamma={})", period, gamma);
    case Kind::cosine: return fmt::format("CosineAnnealingLR(t_max={}, minimum={})", period, minimum);
    case Kind::exponential: return fmt::format("ExponentialLR(gamma={})", gamma);
    case Kind::constant: break;
  }
  return "constant";
}

}  // namespace overtake::optim
