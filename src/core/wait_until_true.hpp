// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace overtake {

/// changed.wait(lock, is_true), whose symbol in the C++ library of GCC 12 older systems lack (tools/check_symbols.sh).
template <class IsTrue>
void wait_until_true(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, const IsTrue& is_true) {
  constexpr auto long_time = std::chrono::hours(1);
  while (!is_true()) changed.wait_for(lock, long_time);
}

}  // namespace overtake
