// SPDX-License-Identifier: MIT
#include "core/parallel.hpp"

#include "core/config.hpp"
#include "core/threads_here.hpp"
#include "platform/host_limits.hpp"

namespace overtake {
namespace {

int count_by_default() {
  static const int cores = platform::usable_cores();
  return config::threads() > 0 ? config::threads() : cores;
}

/// May be set while others read it.
std::atomic<int>& chosen() {
  static std::atomic<int> count = count_by_default();
  return count;
}

thread_local int chosen_here = 0;  // 0: what the process has

}  // namespace

int thread_count() { return chosen_here > 0 ? chosen_here : chosen().load(); }

void set_thread_count_here(int threads) noexcept { chosen_here = threads; }

void set_thread_count(int threads) { chosen().store(threads > 0 ? threads : count_by_default()); }

}  // namespace overtake
