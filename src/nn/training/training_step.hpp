// SPDX-License-Identifier: MIT
// What every compiled step of training is made of, whoever compiles it.
#pragma once

#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/optim.hpp"

namespace overtake::nn {

/// Gives model and optimiser arrays with buffers that nobody else holds: a plan overwrites those of its state. Old
/// handles keep the values of before.
void take_own_buffers(Module& model, optim::Optimizer& optimizer);

/// What a step reassigns: the parameters that the optimiser holds, its own state, and the model's buffers.
[[nodiscard]] std::vector<Array*> step_state(Module& model, optim::Optimizer& optimizer);

/// In a traced step: the gradients of a loss, clipped to a norm (0: as they are), and the optimiser's step. Keeps no
/// gradient, of frozen parameters either: it would keep the traced graph alive.
void learn(Module& model, optim::Optimizer& optimizer, const Array& loss, double clip_norm);

/// The second half of learn(), from gradients that the parameters have.
void take_step(Module& model, optim::Optimizer& optimizer, double clip_norm);

}  // namespace overtake::nn
