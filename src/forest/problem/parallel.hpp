// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

#include "backend/api/device.hpp"

namespace overtake::forest {

/// Calls work(i, thread) for i = 0 .. count - 1, each once, on at most `threads` threads of the cpu device (numbered
/// from 0, the calling one among them), in no fixed order. Rethrows the first exception when all have ended.
template <typename Work>
void for_each_index(std::size_t count, int threads, const Work& work) {
  const std::size_t parts = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  if (parts <= 1) {
    for (std::size_t i = 0; i < count; ++i) work(i, std::size_t{0});
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  backend::open_device("cpu").run_on_host(static_cast<int>(parts), [&](int thread) {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i, static_cast<std::size_t>(thread));
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  });
  if (failure) std::rethrow_exception(failure);
}

/// Calls body(i) for i < count on all threads that the cpu device has (set_cpu_threads); else as for_each_index().
template <typename Body>
void on_host_threads(std::size_t count, const Body& body) {
  for_each_index(count, backend::open_device("cpu").threads(), [&](std::size_t i, std::size_t) { body(i); });
}

}  // namespace overtake::forest
