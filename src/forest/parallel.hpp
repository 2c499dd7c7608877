// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace overtake::forest {

/// Calls work(i, thread) for i = 0 .. count - 1, each once, on at most `threads` threads (numbered from 0, the calling
/// one among them), in no fixed order. Rethrows the first exception when all threads have ended.
template <typename Work>
void for_each_index(std::size_t count, int threads, const Work& work) {
  const std::size_t helpers = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  if (helpers <= 1) {
    for (std::size_t i = 0; i < count; ++i) work(i, std::size_t{0});
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&](std::size_t thread) {
    try {
      for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i, thread);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!failure) failure = std::current_exception();
      next.store(count);
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t thread = 1; thread < helpers; ++thread) others.emplace_back(loop, thread);
  loop(0);
  others.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace overtake::forest
