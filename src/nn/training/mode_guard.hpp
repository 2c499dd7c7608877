// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

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

/// Puts a module's buffers back to what they were, for forward passes that must leave no trace.
class BufferGuard {
 public:
  explicit BufferGuard(Module& module) : buffers_(module.buffers()) {
    for (const NamedValue& buffer : buffers_) before_.push_back(*buffer.value);
  }
  ~BufferGuard() {
    for (std::size_t i = 0; i < buffers_.size(); ++i) *buffers_[i].value = before_[i];
  }
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

 private:
  std::vector<NamedValue> buffers_;
  std::vector<Array> before_;
};

}  // namespace overtake::nn
