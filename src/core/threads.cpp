// SPDX-License-Identifier: MIT
#include "core/threads.hpp"

#include <exception>
#include <latch>

namespace overtake {

bool threads_start(unsigned count) {
  std::latch tried(1);  // all of them live until then
  ThreadGroup threads;
  bool all = true;
  try {
    threads.reserve(count);
    while (threads.size() < count) threads.start([&tried] { tried.wait(); });
  } catch (const std::exception&) {  // no thread, or no memory for one
    all = false;
  }
  tried.count_down();
  return all;
}

}  // namespace overtake
