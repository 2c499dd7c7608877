// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/optim/schedule.hpp"
#include "overtake/text.hpp"

namespace overtake::optim {
namespace {

void require_factor(const char* name, double gamma) {
  if (!(gamma > 0) || !std::isfinite(gamma)) {
    throw UsageError(fmt::format("[{}] gamma {} is not a number above 0", name, gamma));
  }
}

// PyTorch's LinearLR allows the same.
void require_share(const char* name, const char* what, double factor, bool zero_is_one) {
  if (factor <= 1 && (factor > 0 || (zero_is_one && factor == 0))) return;
  throw UsageError(fmt::format("[{}] {} {}, expected a number {} 0, at most 1", name, what, factor,
                               zero_is_one ? "of at least" : "above"));
}

void require_epochs(const char* name, const char* what, int epochs) {
  if (epochs < 1) throw UsageError(fmt::format("[{}] {} {} must be at least 1", name, what, epochs));
}

void check_milestones(const std::vector<int>& milestones) {
  const bool rising = std::is_sorted(milestones.begin(), milestones.end());
  if (!milestones.empty() && rising && milestones.front() >= 1) return;
  throw UsageError(fmt::format("[MultiStepLR] milestones [{}], expected epochs of at least 1 in rising order",
                               fmt::join(milestones, ", ")),
                   "Epochs count from 0: milestone 30 lowers the rate of the 31st epoch.");
}

}  // namespace

Schedule Schedule::step_lr(int step_size, double gamma) {
  Schedule result{.kind = Kind::step, .period = step_size, .gamma = gamma};
  result.check();
  return result;
}

Schedule Schedule::cosine_annealing_lr(int t_max, double minimum) {
  Schedule result{.kind = Kind::cosine, .period = t_max, .minimum = minimum};
  result.check();
  return result;
}

Schedule Schedule::exponential_lr(double gamma) {
  Schedule result{.kind = Kind::exponential, .gamma = gamma};
  result.check();
  return result;
}

Schedule Schedule::multi_step_lr(std::vector<int> milestones, double gamma) {
  Schedule result{.kind = Kind::multi_step, .gamma = gamma};
  result.milestones = std::move(milestones);
  result.check();
  return result;
}

Schedule Schedule::linear_lr(double start_factor, double end_factor, int total_iters) {
  Schedule result{.kind = Kind::linear, .period = total_iters};
  result.start_factor = start_factor;
  result.end_factor = end_factor;
  result.check();
  return result;
}

Schedule Schedule::after_warmup(int epochs, double start) const {
  require_epochs("after_warmup", "epochs", epochs);
  Schedule result = *this;
  result.warmup_epochs = epochs;
  result.warmup_factor = start;
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
  if (warmup_epochs < 0) throw UsageError(fmt::format("[after_warmup] epochs {} is negative", warmup_epochs));
  require_share("after_warmup", "start", warmup_factor, false);
  switch (kind) {
    case Kind::step: require_epochs("StepLR", "step_size", period); return require_factor("StepLR", gamma);
    case Kind::cosine:
      require_epochs("CosineAnnealingLR", "t_max", period);
      return nn::require_float("CosineAnnealingLR", "the lowest rate", minimum);
    case Kind::exponential: return require_factor("ExponentialLR", gamma);
    case Kind::multi_step: check_milestones(milestones); return require_factor("MultiStepLR", gamma);
    case Kind::linear:
      require_epochs("LinearLR", "total_iters", period);
      require_share("LinearLR", "start_factor", start_factor, false);
      return require_share("LinearLR", "end_factor", end_factor, true);
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
  if (epoch < warmup_epochs) return base * (warmup_factor + (1 - warmup_factor) * epoch / warmup_epochs);
  const int now = epoch - warmup_epochs;
  switch (kind) {
    case Kind::step: return base * std::pow(gamma, now / period);
    case Kind::cosine: return minimum + (base - minimum) * (1 + std::cos(std::numbers::pi * now / period)) / 2;
    case Kind::exponential: return base * std::pow(gamma, now);
    case Kind::multi_step: {
      const auto passed = std::upper_bound(milestones.begin(), milestones.end(), now) - milestones.begin();
      return base * std::pow(gamma, static_cast<double>(passed));
    }
    case Kind::linear: return base * (start_factor + (end_factor - start_factor) * std::min(now, period) / period);
    case Kind::constant: break;
  }
  return base;
}

std::string Schedule::describe() const {
  if (warmup_epochs > 0) {
    Schedule rest = *this;
    rest.warmup_epochs = 0;
    return fmt::format("LinearLR(start_factor={}, total_iters={}) then {}", warmup_factor, warmup_epochs,
                       rest.describe());
  }
  switch (kind) {
    case Kind::step: return fmt::format("StepLR(step_size={}, gamma={})", period, gamma);
    case Kind::cosine: return fmt::format("CosineAnnealingLR(t_max={}, minimum={})", period, minimum);
    case Kind::exponential: return fmt::format("ExponentialLR(gamma={})", gamma);
    case Kind::multi_step:
      return fmt::format("MultiStepLR(milestones=[{}], gamma={})", fmt::join(milestones, ", "), gamma);
    case Kind::linear:
      return fmt::format("LinearLR(start_factor={}, end_factor={}, total_iters={})", start_factor, end_factor, period);
    case Kind::constant: break;
  }
  return "constant";
}

}  // namespace overtake::optim
