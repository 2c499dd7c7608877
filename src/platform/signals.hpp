// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace overtake::platform {

/// While one lives, this thread answers no signals from outside: they wait, or another thread answers them. For code of
/// others that moves the stack pointer to where the handler of a signal must not write. Faults of the thread itself
/// (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT) do not wait. Two calls of the system, a third of a microsecond.
class SignalsWait {
 public:
  SignalsWait() noexcept;
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  alignas(std::max_align_t) std::array<std::byte, 128> before_;  // the system's set of signals
};

}  // namespace overtake::platform
