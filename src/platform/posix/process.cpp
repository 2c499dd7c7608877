// SPDX-License-Identifier: MIT
#include "platform/process.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

namespace overtake::platform {

std::int64_t process_number() noexcept { return ::getpid(); }

int forks() noexcept {
  static std::atomic<int> count{0};
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1); });
  (void)registered;
  return count.load();
}

bool is_running(std::int64_t process) noexcept {
  if (!std::in_range<pid_t>(process)) return false;
  return ::kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH;
}

double thread_seconds() noexcept {
  timespec taken{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &taken);
  return static_cast<double>(taken.tv_sec) + 1e-9 * static_cast<double>(taken.tv_nsec);
}

std::vector<std::string> environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

}  // namespace overtake::platform
