// SPDX-License-Identifier: MIT
#include "overtake/large_stacks.hpp"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <thread>

namespace overtake {

int with_large_stacks(const std::function<int()>& work) {
#ifdef __GLIBC__  // elsewhere the limit says nothing of threads
  constexpr std::size_t enough = std::size_t{8} << 20;
  rlimit limit{};
  pthread_attr_t large;
  const bool is_small = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < enough / 8;
  if (is_small && pthread_attr_init(&large) == 0) {
    limit.rlim_cur = std::min<rlim_t>(enough, limit.rlim_max);
    static_cast<void>(setrlimit(RLIMIT_STACK, &limit));  // children inherit it
    const bool is_set = pthread_attr_setstacksize(&large, enough) == 0 && pthread_setattr_default_np(&large) == 0;
    pthread_attr_destroy(&large);
    int code = 0;
    if (is_set) {
      try {
        std::thread([&] { code = work(); }).join();
        return code;
      } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): no thread, so it is tried without
      }
    }
  }
#endif
  return work();
}

}  // namespace overtake
