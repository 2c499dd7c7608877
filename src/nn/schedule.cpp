// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>
#include <numbers>

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
  if (step_size < 1) throw UsageError(fmt::format("[StepLR] step_size {} must be at least 1", step_size));
  require_factor("StepLR", gamma);
  return {.kind = Kind::step, .period = step_size, .gamma = gamma};
}

Schedule Schedule::cosine_annealing_lr(int t_max, double minimum) {
  if (t_max < 1) throw UsageError(fmt::format("[CosineAnnealingLR] t_max {} must be at least 1", t_max));
  if (!(minimum >= 0)) {
    throw UsageError(fmt::format("[CosineAnnealingLR] the lowest rate {} must be at least 0", minimum));
  }
  return {.kind = Kind::cosine, .period = t_max, .minimum = minimum};
}

Schedule Schedule::exponential_lr(double gamma) {
  require_factor("ExponentialLR", gamma);
  return {.kind = Kind::exponential, .gamma = gamma};
}

double Schedule::at(double base, int epoch) const {
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
