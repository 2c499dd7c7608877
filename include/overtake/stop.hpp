// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace overtake {

/// Asks long work to stop: a fit(), a search, a race. request() may be called from another thread or from a signal
/// handler.
class StopToken {
 public:
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  void reset() noexcept { requested_.store(false, std::memory_order_relaxed); }
  [[nodiscard]] bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

}  // namespace overtake
