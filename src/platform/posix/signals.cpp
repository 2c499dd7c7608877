// SPDX-License-Identifier: MIT
#include "platform/signals.hpp"

#include <csignal>
#include <cstring>

namespace overtake::platform {

SignalsWait::SignalsWait() noexcept : before_() {
  sigset_t waiting, before;
  static_assert(sizeof(before) <= sizeof(before_));
  sigfillset(&waiting);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&waiting, fault);
  (void)pthread_sigmask(SIG_BLOCK, &waiting, &before);
  std::memcpy(before_.data(), &before, sizeof(before));
}

SignalsWait::~SignalsWait() {
  sigset_t before;
  std::memcpy(&before, before_.data(), sizeof(before));
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace overtake::platform
