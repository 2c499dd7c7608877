// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "overtake/optim.hpp"

namespace overtake::nn {

/// An optimiser by plain numbers, as networks' options have them.
struct OptimizerChoice {
  std::string name;  ///< sgd, adam or adamw
  double learning_rate = 0;
  double momentum = 0;  ///< of sgd
  double weight_decay = 0;
};

[[nodiscard]] std::unique_ptr<optim::Optimizer> make_optimizer(const OptimizerChoice& choice,
                                                               std::vector<Parameter*> parameters);

}  // namespace overtake::nn
