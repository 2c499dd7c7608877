// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim/optimizers.hpp"

namespace overtake::optim {
namespace {

// 1 - beta^t. As float32, beta^t would lose the digits that matter while it is near 1 (beta = 0.999 gives 3e-5 of
// relative error at t = 1), so this uses 1 - exp(-x) = 2 tanh(x/2) / (1 + tanh(x/2)) with x = -t log(beta), which loses
// none.
Array one_minus_power(double beta, const Array& t) {
  if (beta == 0) return ones(Shape{}, t.device());
  const Array half = overtake::tanh(static_cast<float>(-0.5 * std::log(beta)) * t);
  return 2.0F * half / (1.0F + half);
}

void check(const char* name, const AdamOptions& options) {
  const auto is_beta = [](double beta) { return nn::fits_float(beta) && static_cast<float>(beta) < 1; };
  if (!is_beta(options.beta1) || !is_beta(options.beta2)) {
    throw UsageError(
        fmt::format("[{}] beta1 {} and beta2 {} must be in [0, 1) as float32", name, options.beta1, options.beta2));
  }
  nn::require_float(name, "epsilon", options.epsilon);
  nn::require_float(name, "weight_decay", options.weight_decay);
}

std::string describe_as(const char* name, const AdamOptions& options) {
  // Settings that came later are named only where they count: checkpoints compare this text.
  return fmt::format("{}(beta1={}, beta2={}, epsilon={}, weight_decay={}{}{})", name, options.beta1, options.beta2,
                     options.epsilon, options.weight_decay, options.amsgrad ? ", amsgrad=True" : "",
                     options.maximize ? ", maximize=True" : "");
}

}  // namespace

Adam::Adam(std::vector<nn::Parameter*> parameters, double learning_rate, const AdamOptions& options)
    : Adam(std::move(parameters), learning_rate, options, false) {}

Adam::Adam(std::vector<nn::Parameter*> parameters, double learning_rate, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters), learning_rate), options_(options), decoupled_(decoupled) {
  check(decoupled ? "AdamW" : "Adam", options);
  first_ = &add_state("first_moment");
  second_ = &add_state("second_moment");
  if (options.amsgrad) largest_ = &add_state("max_second_moment");
  count_ = &add_scalar("step");
}

void Adam::begin_step() {
  *count_ = *count_ + 1.0F;
  step_size_ = rate() / one_minus_power(options_.beta1, *count_);
  second_scale_ = sqrt(one_minus_power(options_.beta2, *count_));
}

Array Adam::update(std::size_t index, const Array& value, const Array& gradient) {
  const auto decay = static_cast<float>(options_.weight_decay);
  const bool decays = options_.weight_decay > 0;
  const Array signed_gradient = options_.maximize ? -gradient : gradient;
  const Array g = decays && !decoupled_ ? signed_gradient + decay * value : signed_gradient;
  const Array start = decays && decoupled_ ? value * (1.0F - rate() * decay) : value;
  Array& m = (*first_)[index];
  Array& v = (*second_)[index];
  m = m + (g - m) * static_cast<float>(1 - options_.beta1);
  v = v * static_cast<float>(options_.beta2) + static_cast<float>(1 - options_.beta2) * square(g);
  Array second = v;
  if (largest_ != nullptr) {
    Array& largest = (*largest_)[index];
    largest = maximum(largest, v);
    second = largest;
  }
  const Array denominator = sqrt(second) / second_scale_ + static_cast<float>(options_.epsilon);
  return start - step_size_ * (m / denominator);
}

std::string Adam::describe() const { return describe_as("Adam", options_); }

AdamW::AdamW(std::vector<nn::Parameter*> parameters, double learning_rate, const AdamOptions& options)
    : Adam(std::move(parameters), learning_rate, options, true) {}

std::string AdamW::describe() const {
  const std::string adam = Adam::describe();
  return "AdamW" + adam.substr(adam.find('('));
}

}  // namespace overtake::optim
