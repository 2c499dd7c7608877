// SPDX-License-Identifier: MIT
// The arrays that a compiled training is bound to, and what an observer's code may have put in their place.
#pragma once

#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/optim.hpp"

namespace overtake::nn {

class BoundState {
 public:
  /// Of the model's parameters and buffers, and of the optimiser, as they are now. Both must outlive this.
  BoundState(Module& model, optim::Optimizer& optimizer);

  /// Values that were assigned since go into the arrays the plans are bound to, which take their places again. Throws
  /// UsageError, naming the array, for other shapes and for parameters that were frozen or freed: a plan's updates are
  /// fixed; and for a model that was left in evaluation mode.
  void take_back();

 private:
  struct Bound {
    NamedValue entry;
    Array array;
    bool is_learnt = false;
  };
  Module& model_;
  std::vector<Bound> bound_;
};

}  // namespace overtake::nn
