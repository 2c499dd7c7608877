// SPDX-License-Identifier: MIT
#include "core/thread_pool.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "overtake/error.hpp"
#include "platform/process.hpp"

namespace overtake {
namespace {

// Long enough to bridge the gap between two parts of a step.
constexpr auto alert = std::chrono::microseconds(40);
// And what one thread does between them, too short for others on the machine to notice: they may have the core
// meanwhile. LeNet's step of 64 images on 16 Xeon cores took 0.90 to 0.99 ms without, 0.80 to 0.86 with 250.
constexpr auto awake = std::chrono::microseconds(200);

thread_local bool inside_team = false;

void pause_a_little() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits awake until `done` or the time is up; true if done.
template <class Condition>
bool wait_awake(const Condition& done) {
  const auto begin = std::chrono::steady_clock::now();
  auto waited = std::chrono::steady_clock::duration::zero();
  do {
    for (int i = 0; i < 64; ++i) {
      if (done()) return true;
      pause_a_little();
    }
    if (waited >= alert) std::this_thread::yield();
    waited = std::chrono::steady_clock::now() - begin;
  } while (waited < awake);
  return false;
}

/// The pool of this process, and, in a child, those of its parents: kept for ever, as nobody can end their threads
/// there.
struct PoolOfProcess {
  explicit PoolOfProcess(PoolOfProcess* of_parent) : parent(of_parent) {}
  int forks = platform::forks();
  PoolOfProcess* parent;
  ThreadPool pool;
};

/// No lock: at the time of the fork any might be held by a thread that the child lacks.
class Pools {
 public:
  Pools() = default;
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;
  ~Pools() {
    // The pool itself stays: what is destroyed later may still compute, on its own thread.
    PoolOfProcess* last = last_.load();
    if (last != nullptr && last->forks == platform::forks()) last->pool.end();
  }

  ThreadPool& here() {
    PoolOfProcess* last = last_.load();
    while (last == nullptr || last->forks != platform::forks()) {
      auto next = std::make_unique<PoolOfProcess>(last);
      if (last_.compare_exchange_strong(last, next.get())) last = next.release();
    }
    return last->pool;
  }

 private:
  std::atomic<PoolOfProcess*> last_{nullptr};
};

}  // namespace

ThreadPool& ThreadPool::instance() {
  static Pools pools;
  return pools.here();
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
  stop_.store(true, std::memory_order_relaxed);  // what follows publishes it
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void ThreadPool::run(int parts, const std::function<void(int)>& part) {
  if (parts <= 1 || inside_team || stop_.load(std::memory_order_relaxed)) {
    for (int i = 0; i < parts; ++i) part(i);
    return;
  }
  const std::lock_guard one_team(callers_);
  grow(parts - 1);
  running_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  part_ = &part;
  parts_ = parts;
  round_.fetch_add(1, std::memory_order_release);  // publishes the three above
  round_.notify_all();
  inside_team = true;
  call(0);
  inside_team = false;
  const auto finished = [this] { return running_.load(std::memory_order_acquire) == 0; };
  while (!wait_awake(finished)) std::this_thread::yield();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::call(int index) {
  try {
    (*part_)(index);
  } catch (...) {
    const std::lock_guard lock(failures_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void ThreadPool::grow(int workers) {
  while (static_cast<int>(workers_.size()) < workers) {
    const int index = static_cast<int>(workers_.size()) + 1;
    try {
      workers_.emplace_back([this, index, seen = round_.load()] { serve(index, seen); });
    } catch (const std::system_error&) {
      throw DeviceError(
          fmt::format("the system started {} of {} threads and refuses more", index, workers + 1),
          "Ask for fewer threads (--threads 1 starts none), or raise the system's limits of processes and "
          "memory (ulimit -u, ulimit -v).");
    }
  }
}

void ThreadPool::serve(int index, std::uint32_t seen) {
  inside_team = true;
  while (true) {
    const auto called = [&] { return round_.load(std::memory_order_acquire) != seen; };
    if (!wait_awake(called)) round_.wait(seen, std::memory_order_acquire);
    ++seen;
    if (stop_.load()) return;
    work(index);
  }
}

void ThreadPool::work(int index) {
  if (index < parts_) call(index);
  running_.fetch_sub(1, std::memory_order_release);
}

}  // namespace overtake
