// SPDX-License-Identifier: MIT
#include "core/parallel.hpp"

#include "core/config.hpp"
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

}  // namespace

int thread_count() { return chosen().load(); }

void set_thread_count(int threads) { chosen().store(threads > 0 ? threads : count_by_default()); }

}  // namespace overtake
