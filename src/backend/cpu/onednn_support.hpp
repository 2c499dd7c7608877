// SPDX-License-Identifier: MIT
// What all that calls oneDNN's primitives needs.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>

#include "platform/signals.hpp"

namespace dnnl {
struct engine;  // NOLINT(readability-identifier-naming): the library's
}

namespace overtake::backend::cpu {

class Step;

/// What oneDNN needs to make kernels. It crashes where that fails.
inline constexpr std::size_t onednn_bytes = std::size_t{16} << 20;

[[nodiscard]] const dnnl::engine& onednn_engine();

/// Threads that oneDNN sees when it makes and runs primitives on this thread, while this lives. Signals wait meanwhile:
/// oneDNN's products keep the stack pointer in memory that they allocated, and a handler would write below it, over
/// what lies there (src/cpu/x64/gemm/f32/jit_*_gemm_f32.cpp of oneDNN: "buffer_in_ws"). Threads that it starts inherit
/// that.
class OneDnnThreads {
 public:
  explicit OneDnnThreads(int threads);
  ~OneDnnThreads();
  OneDnnThreads(const OneDnnThreads&) = delete;
  OneDnnThreads& operator=(const OneDnnThreads&) = delete;

 private:
  platform::SignalsWait quiet_;
  int before_;
};

/// Memory of a thread, in lines of the cache, which grows to the most it was ever asked for.
class OneDnnMemory {
 public:
  /// Throws std::bad_alloc.
  [[nodiscard]] std::byte* of(std::size_t bytes);

 private:
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_ = 0;
};

/// A step by `make`; null where the library has no code for it. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<Step> onednn_step(const std::function<std::unique_ptr<Step>()>& make);

/// Calls `work`; what oneDNN throws becomes std::bad_alloc or an InternalError about `what`.
void with_onednn(const char* what, const std::function<void()>& work);

}  // namespace overtake::backend::cpu
