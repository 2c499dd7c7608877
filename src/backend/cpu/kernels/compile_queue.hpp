// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace overtake::backend::cpu {

/// Compiles in the background, one program at a time, in a thread that begins with the first. When the process ends,
/// the one under way has half a second to reach the cache, and is stopped then; the others are dropped.
class CompileQueue {
 public:
  /// True when a job has to stop.
  using Stop = std::function<bool()>;
  using Job = std::function<void(const Stop&)>;

  /// The process's. A child that was forked has one of its own.
  static CompileQueue& instance();

  CompileQueue() = default;
  ~CompileQueue();
  CompileQueue(const CompileQueue&) = delete;
  CompileQueue& operator=(const CompileQueue&) = delete;

  /// A job that throws is over. Does nothing where the system starts no thread.
  void add(Job job);
  /// Waits until there is nothing left to do (for tests).
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool ending_ = false;
  Clock::time_point last_;  ///< when it has to end
  std::thread thread_;
};

}  // namespace overtake::backend::cpu
