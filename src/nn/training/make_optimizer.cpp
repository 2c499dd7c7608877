// SPDX-License-Identifier: MIT
#include "nn/training/make_optimizer.hpp"

#include <utility>

namespace overtake::nn {

std::unique_ptr<optim::Optimizer> make_optimizer(const OptimizerChoice& choice, std::vector<Parameter*> parameters) {
  const double rate = choice.learning_rate;
  if (choice.name == "sgd") {
    return std::make_unique<optim::SGD>(std::move(parameters), rate,
                                        optim::SGDOptions{choice.momentum, false, choice.weight_decay});
  }
  optim::AdamOptions adam;
  adam.weight_decay = choice.weight_decay;
  if (choice.name == "adam") return std::make_unique<optim::Adam>(std::move(parameters), rate, adam);
  return std::make_unique<optim::AdamW>(std::move(parameters), rate, adam);
}

}  // namespace overtake::nn
