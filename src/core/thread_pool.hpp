// SPDX-License-Identifier: MIT
// Threads that wait briefly awake and then asleep: a training step has dozens of parallel parts of some microseconds,
// and the machine may be shared with others.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace overtake {

/// A team of threads that run the same function together. One caller at a time; calls from inside a part run in place.
class ThreadPool {
 public:
  /// The process's pool. It grows to the most threads ever asked for; idle threads sleep. A child that was forked has a
  /// pool of its own: the threads of its parent's are not there.
  static ThreadPool& instance();

  ThreadPool() = default;
  ~ThreadPool();
  /// Ends its threads; what runs later runs on the caller's.
  void end();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Calls part(i) for i < parts, each on a thread of its own (part 0 on the caller's), and returns when all are done.
  /// Which thread runs which part is fixed. Rethrows one of the exceptions of the parts when all are done (memory may
  /// end in any of them). Throws DeviceError, having called nothing, when the system does not start so many threads.
  void run(int parts, const std::function<void(int)>& part);

 private:
  /// What a worker does until the pool ends; `seen`: the last round before it was there.
  void serve(int index, std::uint32_t seen);
  void work(int index);
  /// Calls one part and keeps its exception.
  void call(int index);
  void grow(int workers);

  std::mutex callers_;  // one team at a time
  std::vector<std::thread> workers_;
  const std::function<void(int)>* part_ = nullptr;
  int parts_ = 0;
  std::mutex failures_;
  std::exception_ptr failure_;  // the first of this round
  // Workers sleep on it. 32 bits: what the kernel can wait on. It may begin again at 0.
  std::atomic<std::uint32_t> round_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace overtake
