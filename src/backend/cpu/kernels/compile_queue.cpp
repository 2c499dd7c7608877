// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/compile_queue.hpp"

#include <atomic>
#include <memory>
#include <system_error>
#include <utility>

#include "core/wait_until_true.hpp"
#include "platform/process.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr auto grace = std::chrono::milliseconds(500);

/// The queue of this process. In a child those of its parents are kept for ever: their threads are not there.
class Queues {
 public:
  Queues() = default;
  Queues(const Queues&) = delete;
  Queues& operator=(const Queues&) = delete;
  ~Queues() {
    Entry* last = last_.load();
    if (last != nullptr && last->forks == platform::forks()) std::unique_ptr<Entry>{last}.reset();
  }

  CompileQueue& here() {
    Entry* last = last_.load();
    while (last == nullptr || last->forks != platform::forks()) {
      auto next = std::make_unique<Entry>(last);
      if (last_.compare_exchange_strong(last, next.get())) last = next.release();
    }
    return last->queue;
  }

 private:
  struct Entry {
    explicit Entry(Entry* of_parent) : parent(of_parent) {}
    int forks = platform::forks();
    Entry* parent;
    CompileQueue queue;
  };
  std::atomic<Entry*> last_{nullptr};
};

}  // namespace

CompileQueue& CompileQueue::instance() {
  static Queues queues;
  return queues.here();
}

CompileQueue::~CompileQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    last_ = Clock::now() + grace;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CompileQueue::add(Job job) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {
      return;
    }
  }
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void CompileQueue::finish() {
  std::unique_lock lock(mutex_);
  wait_until_true(changed_, lock, [this] { return jobs_.empty() && !busy_; });
}

void CompileQueue::work() {
  const Stop stop = [this] {
    const std::lock_guard lock(mutex_);
    return ending_ && Clock::now() >= last_;
  };
  std::unique_lock lock(mutex_);
  for (;;) {
    wait_until_true(changed_, lock, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty() || (ending_ && Clock::now() >= last_)) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    try {
      job(stop);
    } catch (...) {
      // The program goes on as it is: what the job makes is faster, not different.
    }
    job = nullptr;
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace overtake::backend::cpu
