// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim/optimizers.hpp"

namespace overtake::optim {

RMSprop::RMSprop(std::vector<nn::Parameter*> parameters, double learning_rate, const RMSpropOptions& options)
    : Optimizer(std::move(parameters), learning_rate), options_(options) {
  if (!nn::fits_float(options.alpha) || static_cast<float>(options.alpha) >= 1) {
    throw UsageError(fmt::format("[RMSprop] alpha {} must be in [0, 1) as float32", options.alpha),
                     "alpha is the share of the mean square that stays at each step; 0.99 is usual.");
  }
  nn::require_float("RMSprop", "epsilon", options.epsilon);
  nn::require_float("RMSprop", "weight_decay", options.weight_decay);
  nn::require_float("RMSprop", "momentum", options.momentum);
  square_ = &add_state("square_avg");
  if (options.centered) mean_ = &add_state("grad_avg");
  if (options.momentum > 0) buffer_ = &add_state("momentum");
}

Array RMSprop::update(std::size_t index, const Array& value, const Array& gradient) {
  const auto rest = static_cast<float>(1 - options_.alpha);
  Array g = options_.maximize ? -gradient : gradient;
  if (options_.weight_decay > 0) g = g + static_cast<float>(options_.weight_decay) * value;
  Array& v = (*square_)[index];
  v = v * static_cast<float>(options_.alpha) + rest * square(g);
  Array spread = v;
  if (mean_ != nullptr) {
    Array& average = (*mean_)[index];
    average = average + (g - average) * rest;
    // Where all gradients are equal, rounding may leave less than 0, of which there is no root.
    spread = maximum(v - square(average), 0.0F);
  }
  Array direction = g / (sqrt(spread) + static_cast<float>(options_.epsilon));
  if (buffer_ != nullptr) {
    Array& buffer = (*buffer_)[index];
    buffer = static_cast<float>(options_.momentum) * buffer + direction;
    direction = buffer;
  }
  return value - rate() * direction;
}

std::string RMSprop::describe() const {
  return fmt::format("RMSprop(alpha={}, epsilon={}, weight_decay={}, momentum={}, centered={}{})", options_.alpha,
                     options_.epsilon, options_.weight_decay, options_.momentum, options_.centered ? "True" : "False",
                     options_.maximize ? ", maximize=True" : "");
}

}  // namespace overtake::optim
