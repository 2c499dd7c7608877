// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"

namespace overtake::optim {

SGD::SGD(std::vector<nn::Parameter*> parameters, double learning_rate, const SGDOptions& options)
    : Optimizer(std::move(parameters), learning_rate), options_(options) {
  nn::require_float("SGD", "momentum", options.momentum);
  nn::require_float("SGD", "weight_decay", options.weight_decay);
  if (options.nesterov && options.momentum == 0) {
    throw UsageError("[SGD] Nesterov needs a momentum", "Set momentum, 0.9 say.");
  }
  if (options.momentum > 0) velocity_ = &add_state("momentum");
}

Array SGD::update(std::size_t index, const Array& value, const Array& gradient) {
  Array direction = gradient;
  if (options_.weight_decay > 0) direction = direction + static_cast<float>(options_.weight_decay) * value;
  if (velocity_ != nullptr) {
    const auto momentum = static_cast<float>(options_.momentum);
    Array& velocity = (*velocity_)[index];
    velocity = momentum * velocity + direction;
    direction = options_.nesterov ? direction + momentum * velocity : velocity;
  }
  return value - rate() * direction;
}

std::string SGD::describe() const {
  return fmt::format("SGD(momentum={}, nesterov={}, weight_decay={})", options_.momentum,
                     options_.nesterov ? "True" : "False", options_.weight_decay);
}

}  // namespace overtake::optim
