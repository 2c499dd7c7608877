// SPDX-License-Identifier: MIT
// Work on the threads of this process: one number of threads, one pool, for all modules.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <type_traits>

#include "core/thread_pool.hpp"

namespace overtake {

/// Threads that this process computes with: those of set_thread_count(), else of OVERTAKE_THREADS, else one for each
/// core it may use (affinity and quotas of containers count).
[[nodiscard]] int thread_count();

/// 0: what thread_count() is without it. What began before keeps its number.
void set_thread_count(int threads);

/// Calls work(i) or work(i, thread) for i = 0 .. count - 1, each once, on at most `threads` threads (numbered from 0,
/// the calling one among them), in no fixed order; in order on the caller's where it is one, or inside of another call.
/// After an exception, or where work returns false, no further i begins. Returns whether none returned false, and
/// rethrows one of the exceptions, when all have ended. Throws DeviceError where the system refuses the threads.
template <typename Work>
bool parallel_for(std::size_t count, int threads, const Work& work) {
  const auto call = [&work](std::size_t i, std::size_t thread) -> bool {
    if constexpr (std::is_invocable_r_v<bool, const Work&, std::size_t, std::size_t>) {
      return work(i, thread);
    } else if constexpr (std::is_invocable_r_v<bool, const Work&, std::size_t>) {
      return work(i);
    } else if constexpr (std::is_invocable_v<const Work&, std::size_t, std::size_t>) {
      work(i, thread);
      return true;
    } else {
      work(i);
      return true;
    }
  };
  const std::size_t parts = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  if (parts <= 1) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!call(i, std::size_t{0})) return false;
    }
    return true;
  }
  std::atomic<std::size_t> next{0};
  std::atomic<bool> go_on{true};
  ThreadPool::instance().run(static_cast<int>(parts), [&](int thread) {
    try {
      for (std::size_t i = next++; i < count && go_on; i = next++) {
        if (!call(i, static_cast<std::size_t>(thread))) go_on = false;
      }
    } catch (...) {
      next = count;
      throw;
    }
  });
  return go_on;
}

/// On thread_count() threads.
template <typename Work>
bool parallel_for(std::size_t count, const Work& work) {
  return parallel_for(count, thread_count(), work);
}

}  // namespace overtake
