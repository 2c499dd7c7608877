// SPDX-License-Identifier: MIT
#include "nn/training/training_step.hpp"

#include <utility>

#include "graph/compiled_step.hpp"
#include "nn/file/checkpoint.hpp"
#include "overtake/nn/clip_grad.hpp"

namespace overtake::nn {

void take_own_buffers(Module& model, optim::Optimizer& optimizer) {
  for (const NamedValue& entry : model_values(model)) {
    const bool learnt = std::as_const(*entry.value).requires_grad();
    *entry.value = graph::copy_of(*entry.value);
    if (learnt) entry.value->requires_grad(true);
  }
  for (const NamedValue& entry : optimizer.state()) *entry.value = graph::copy_of(*entry.value);
}

std::vector<Array*> step_state(Module& model, optim::Optimizer& optimizer) {
  std::vector<Array*> state;
  for (Parameter* parameter : optimizer.parameters()) state.push_back(&parameter->value);
  for (const NamedValue& entry : optimizer.state()) state.push_back(entry.value);
  for (const NamedValue& entry : model.buffers()) state.push_back(entry.value);
  return state;
}

void learn(Module& model, optim::Optimizer& optimizer, const Array& loss, double clip_norm) {
  optimizer.zero_grad();
  loss.backward();
  take_step(model, optimizer, clip_norm);
}

void take_step(Module& model, optim::Optimizer& optimizer, double clip_norm) {
  if (clip_norm > 0) clip_grad_norm(optimizer.parameters(), clip_norm);
  optimizer.step();
  for (Parameter* parameter : model.parameters()) {
    if (std::as_const(parameter->value).requires_grad()) parameter->value.set_grad(Array());
  }
}

}  // namespace overtake::nn
