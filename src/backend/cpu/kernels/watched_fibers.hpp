// SPDX-License-Identifier: MIT
// Tells the thread sanitizer which fiber runs; without it, nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "core/sanitized.hpp"

#ifdef OVERTAKE_THREAD_SANITIZER
extern "C" {
void* __tsan_get_current_fiber();              // NOLINT(readability-identifier-naming)
void* __tsan_create_fiber(unsigned);           // NOLINT(readability-identifier-naming)
void __tsan_destroy_fiber(void*);              // NOLINT(readability-identifier-naming)
void __tsan_switch_to_fiber(void*, unsigned);  // NOLINT(readability-identifier-naming)
}
#endif

namespace overtake::backend::cpu {

/// The fibers of a thread, by numbers. The calls of a fiber that ends or is left never return, so each begins as a new
/// one.
class WatchedFibers {
 public:
  WatchedFibers() = default;
  WatchedFibers(const WatchedFibers&) = delete;
  WatchedFibers& operator=(const WatchedFibers&) = delete;
#ifdef OVERTAKE_THREAD_SANITIZER
  ~WatchedFibers() {
    for (void* fiber : fibers_) {
      if (fiber != nullptr) __tsan_destroy_fiber(fiber);
    }
  }
  /// Before a course is made.
  void begin(std::size_t index) {
    if (fibers_.size() <= index) fibers_.resize(index + 1);
    if (fibers_[index] != nullptr) __tsan_destroy_fiber(fibers_[index]);
    fibers_[index] = __tsan_create_fiber(0);
  }
  /// Before a switch from the thread's own course.
  void leave_thread() { thread_ = __tsan_get_current_fiber(); }
  /// Right before a switch.
  void to(std::size_t index) { __tsan_switch_to_fiber(fibers_[index], 0); }
  void to_thread() { __tsan_switch_to_fiber(thread_, 0); }

 private:
  std::vector<void*> fibers_;
  void* thread_ = nullptr;
#else
  void begin(std::size_t /*index*/) {}
  void leave_thread() {}
  void to(std::size_t /*index*/) {}
  void to_thread() {}
#endif
};

}  // namespace overtake::backend::cpu
