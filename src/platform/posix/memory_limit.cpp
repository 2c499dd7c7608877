// SPDX-License-Identifier: MIT
#include "platform/memory_limit.hpp"

#include <sys/resource.h>
#ifdef __GLIBC__
#include <execinfo.h>
#include <malloc.h>
#endif

#include <array>
#include <utility>

namespace overtake::platform {
namespace {

#ifdef __GLIBC__
/// Done while this library is loaded, and not when memory is short.
[[maybe_unused]] const bool is_prepared = [] {
  // The C library opens libgcc_s when it is unwound for the first time, as by an exception out of pthread_once(), and
  // aborts where it cannot. backtrace() has it opened (its manual says so).
  std::array<void*, 1> frame{};
  (void)::backtrace(frame.data(), static_cast<int>(frame.size()));
  // It reserves 64 MiB of addresses for each thread that asks for memory; where it gets none, each small piece takes a
  // page, and oneDNN, which asks for thousands, crashes. In one place for all threads there is room for them.
  constexpr rlim_t little = rlim_t{2} << 30U;
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < little && ::mallopt(M_ARENA_MAX, 1) == 1;
}();
#endif

}  // namespace

MemoryLimit memory_limit() noexcept {
  constexpr std::array limits{std::pair{RLIMIT_AS, "ulimit -v"}, std::pair{RLIMIT_DATA, "ulimit -d"}};
  MemoryLimit smallest;
  for (const auto& [resource, name] : limits) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
    const std::uint64_t kibibytes = limit.rlim_cur / 1024;
    if (smallest.name == nullptr || kibibytes < smallest.kibibytes) smallest = {name, kibibytes};
  }
  return smallest;
}

}  // namespace overtake::platform
