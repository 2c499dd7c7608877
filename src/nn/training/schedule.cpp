// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/optim.hpp"
#include "overtake/text.hpp"

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

Schedule Schedule::parse(std::string_view text, int epochs) {
  constexpr const char* forms = "Use constant, step:EPOCHS[:FACTOR], cosine or exponential:FACTOR.";
  std::vector<double> numbers;
  const std::string_view kind = text.substr(0, text.find(':'));
  for (std::size_t at = kind.size(); at < text.size();) {
    const std::size_t end = std::min(text.find(':', at + 1), text.size());
    const std::string_view part = text.substr(at + 1, end - at - 1);
    numbers.push_back(text::number(part).value_or(std::numeric_limits<double>::quiet_NaN()));
    if (!std::isfinite(numbers.back())) throw UsageError(fmt::format("\"{}\" is not a number", part), forms);
    at = end;
  }
  const auto is = [&](std::string_view name, std::size_t least, std::size_t most) {
    return kind == name && numbers.size() >= least && numbers.size() <= most;
  };
  if (is("constant", 0, 0)) return {};
  if (is("cosine", 0, 0)) return cosine_annealing_lr(epochs);
  if (is("exponential", 1, 1)) return exponential_lr(numbers[0]);
  if (!is("step", 1, 2)) throw UsageError("its form is not known", forms);
  const double period = numbers[0];
  if (!(period >= 1 && period == std::floor(period) && period < 1e9)) {
    throw UsageError("EPOCHS must be a positive whole number", forms);
  }
  return step_lr(static_cast<int>(period), numbers.size() > 1 ? numbers[1] : 0.1);
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
