// SPDX-License-Identifier: MIT
#include "nn/training/bound_state.hpp"

#include <fmt/format.h>

#include <utility>

#include "graph/compiled_step.hpp"
#include "overtake/error.hpp"

namespace overtake::nn {

BoundState::BoundState(Module& model, optim::Optimizer& optimizer) : model_(model) {
  const auto bind = [&](const std::vector<NamedValue>& entries) {
    for (const NamedValue& entry : entries) {
      bound_.push_back({entry, *entry.value, std::as_const(*entry.value).requires_grad()});
    }
  };
  bind(model.named_parameters());
  bind(model.buffers());
  bind(optimizer.state());
}

void BoundState::take_back() {
  if (!model_.is_training()) {
    throw UsageError("[Trainer] an observer left the model in evaluation mode",
                     "Call model.train() at its end; predict() and evaluate() put the mode back by themselves.");
  }
  for (Bound& each : bound_) {
    Array& now = *each.entry.value;
    if (now.node() != each.array.node()) {
      if (!now.defined() || now.shape() != each.array.shape() || now.dtype() != each.array.dtype()) {
        throw UsageError(
            fmt::format("[Trainer] an observer gave '{}' an array of another shape or type: {} {} expected",
                        each.entry.name, name_of(each.array.dtype()), each.array.shape().to_string()));
      }
      graph::overwrite_with(each.array, now);
      now = each.array;
    }
    if (std::as_const(now).requires_grad() == each.is_learnt) continue;
    throw UsageError(fmt::format("[Trainer] an observer {} '{}', but the step is compiled: what it updates is fixed",
                                 each.is_learnt ? "froze" : "freed", each.entry.name),
                     "Call requires_grad() before fit(), and fit() again after a change.");
  }
}

}  // namespace overtake::nn
