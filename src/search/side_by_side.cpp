// SPDX-License-Identifier: MIT
#include "search/side_by_side.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "core/clock.hpp"
#include "core/parallel.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "core/threads_here.hpp"
#include "core/wait_until_true.hpp"
#include "overtake/error.hpp"

namespace overtake::search_detail {
namespace {

/// What the two threads and the caller share.
class Sides {
 public:
  Sides(const std::vector<Batch>& batches, Paces predicted, const SideBySide& how)
      : queue_(batches, predicted, how.latencies), stop_(how.stop) {}

  /// Waits for a batch that the device should run; nothing when there will be none.
  [[nodiscard]] std::optional<Batch> next(std::size_t device) {
    constexpr auto soon = std::chrono::milliseconds(20);  // then it may be known that the other device is overdue
    std::unique_lock lock(mutex_);
    while (!ended_ && !is_stopped(stop_) && !queue_.empty()) {
      if (auto batch = queue_.take(device, seconds_since(begin_))) return batch;
      changed_.wait_for(lock, soon);
    }
    return std::nullopt;
  }

  void put(std::optional<RanBatch> ran, std::size_t device) {
    const std::lock_guard lock(mutex_);
    queue_.done(device, seconds_since(begin_));
    if (ran) ran_.push_back(std::move(*ran));
    changed_.notify_all();
  }

  /// No device begins another batch.
  void end(std::exception_ptr error = nullptr) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!error_) error_ = std::move(error);
    changed_.notify_all();
  }

  void begin_thread() {
    const std::lock_guard lock(mutex_);
    ++threads_;
  }

  void end_thread() {
    const std::lock_guard lock(mutex_);
    --threads_;
    changed_.notify_all();
  }

  /// Waits for a batch that was run; nothing when there will be none. Throws what a device threw, when all others were
  /// given.
  [[nodiscard]] std::optional<RanBatch> wait_for_batch() {
    std::unique_lock lock(mutex_);
    wait_until_true(changed_, lock, [&] { return !ran_.empty() || threads_ == 0; });
    if (!ran_.empty()) {
      RanBatch ran = std::move(ran_.front());
      ran_.pop_front();
      return ran;
    }
    if (error_) std::rethrow_exception(error_);
    return std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  BatchQueue queue_;
  const StopToken* stop_;
  const Clock::time_point begin_ = Clock::now();
  std::deque<RanBatch> ran_;
  std::exception_ptr error_;
  int threads_ = 0;
  bool ended_ = false;
};

/// What the thread of a device does.
void serve(Sides& sides, Estimator& estimator, const SideBySide& how, std::size_t device, int threads) {
  // The pool has one caller at a time: who feeds a device does not wait for the trees of the CPU.
  set_thread_count_here(how.is_host[device] ? std::max(1, threads - 1) : 1);
  try {
    while (auto batch = sides.next(device)) {
      auto ran = run_timed(estimator, *std::move(batch), how.probabilities, how.stop, device);
      const bool stopped = !ran;
      sides.put(std::move(ran), device);
      if (stopped) break;
    }
  } catch (...) {
    sides.end(std::current_exception());
  }
  sides.end_thread();
}

/// Ends the threads before they are waited for, whatever is thrown.
class Ending {
 public:
  explicit Ending(Sides& sides) : sides_(sides) {}
  ~Ending() { sides_.end(); }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  Sides& sides_;
};

}  // namespace

std::optional<RanBatch> run_timed(Estimator& estimator, Batch batch, bool probabilities, const StopToken* stop,
                                  std::size_t device) {
  const auto begin = Clock::now();
  const double scoring_before = estimator.stats(device).timing.scoring;
  std::optional<std::vector<FoldOutcome>> outcomes = estimator.run(batch, probabilities, stop, device);
  if (!outcomes) return std::nullopt;
  if (outcomes->size() != batch.jobs.size()) throw InternalError("a batch did not give one outcome a job");
  RanBatch ran{device, std::move(batch), *std::move(outcomes), seconds_since(begin), 0};
  ran.scoring_seconds =
      std::clamp(estimator.stats(device).timing.scoring - scoring_before, 0.0, std::max(ran.seconds, 0.0));
  return ran;
}

void run_side_by_side(const std::vector<Batch>& batches, Paces predicted, Estimator& estimator, const SideBySide& how,
                      const std::function<void(RanBatch)>& take) {
  Sides sides(batches, predicted, how);
  ThreadGroup group;
  const Ending ending(sides);
  const int threads = thread_count();
  try {
    group.reserve(2);
    for (const std::size_t device : {main_device, helper_device}) {
      sides.begin_thread();
      group.start([&, device] { serve(sides, estimator, how, device, threads); });
    }
  } catch (const std::system_error&) {
    throw DeviceError("the system refuses the threads of a search on two devices",
                      "Name one device, or raise the system's limits of processes and memory (ulimit -u, ulimit -v).");
  }
  while (auto ran = sides.wait_for_batch()) take(*std::move(ran));
}

}  // namespace overtake::search_detail
