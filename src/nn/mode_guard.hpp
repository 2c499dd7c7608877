// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// Puts a module into training or evaluation mode for one scope.
class ModeGuard {
 public:
  ModeGuard(Module& module, bool training) : module_(module), before_(module.is_training()) { module_.train(training); }
  ~ModeGuard() { module_.train(before_); }
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  Module& module_;
  bool before_;
};

}  // namespace overtake::nn
