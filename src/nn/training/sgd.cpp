// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim/optimizers.hpp"

namespace overtake::optim {

SGD::SGD(std::vector<nn::Parameter*> parameters, double learning_rate, const SGDOptions& options)
    : Optimizer(std::move(parameters), learning_rate), options_(options) {
  nn::require_float("SGD", "momentum", options.momentum);
  nn::require_float("SGD", "weight_decay", options.weight_decay);
  nn::require_float("SGD", "dampening", options.dampening);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    throw UsageError("[SGD] Nesterov needs a momentum and no dampening", "Set momentum, 0.9 say, and dampening 0.");
  }
  if (options.momentum == 0) return;
  velocity_ = &add_state("momentum");
  if (options.dampening == 0) return;
  for (std::size_t i = 0; i < this->parameters().size(); ++i) {
    started_.push_back(&add_scalar(fmt::format("{}.started", i)));
  }
}

// The first gradient of a parameter is taken whole, as in PyTorch.
Array SGD::damped(std::size_t index, const Array& gradient) {
  if (started_.empty()) return gradient;
  Array& started = *started_[index];
  const Array share = 1.0F - static_cast<float>(options_.dampening) * started;
  started = maximum(started, 1.0F);
  return share * gradient;
}

Array SGD::update(std::size_t index, const Array& value, const Array& gradient) {
  Array direction = options_.maximize ? -gradient : gradient;
  if (options_.weight_decay > 0) direction = direction + static_cast<float>(options_.weight_decay) * value;
  if (velocity_ != nullptr) {
    const auto momentum = static_cast<float>(options_.momentum);
    Array& velocity = (*velocity_)[index];
    velocity = momentum * velocity + damped(index, direction);
    direction = options_.nesterov ? direction + momentum * velocity : velocity;
  }
  return value - rate() * direction;
}

std::string SGD::describe() const {
  // Settings that came later are named only where they count: checkpoints compare this text.
  std::string later;
  if (options_.dampening > 0) later += fmt::format(", dampening={}", options_.dampening);
  if (options_.maximize) later += ", maximize=True";
  return fmt::format("SGD(momentum={}, nesterov={}, weight_decay={}{})", options_.momentum,
                     options_.nesterov ? "True" : "False", options_.weight_decay, later);
}

}  // namespace overtake::optim
