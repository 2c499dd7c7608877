// SPDX-License-Identifier: MIT
// Threads that come and go within one function; those that stay are in core/thread_pool.hpp.
#pragma once

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace overtake {

/// Threads that are waited for on destruction, as std::jthread's are, which not every standard library has yet.
class ThreadGroup {
 public:
  ThreadGroup() = default;
  ~ThreadGroup() {
    for (std::thread& thread : threads_) thread.join();
  }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  /// Makes room for `count`, so that starting one asks for no memory of ours.
  void reserve(std::size_t count) { threads_.reserve(count); }
  /// Runs `work()` in a thread of its own. Throws std::system_error if the system refuses one.
  template <class Work>
  void start(Work&& work) {
    threads_.emplace_back(std::forward<Work>(work));
  }
  [[nodiscard]] std::size_t size() const noexcept { return threads_.size(); }

 private:
  std::vector<std::thread> threads_;
};

/// True if the system lets this process start `count` more threads at once, which it tries: limits of processes and of
/// address space (ulimit -u, -v) and control groups all have a say.
[[nodiscard]] bool threads_start(unsigned count);

/// Processes that a compiler needs at once, each started by the one before: its driver, collect2, a linker, and one to
/// spare. GCC's driver tries a fork that is refused for 15 seconds.
inline constexpr unsigned compiler_processes = 4;

}  // namespace overtake
