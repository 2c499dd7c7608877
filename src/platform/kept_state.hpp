// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace overtake::platform {

/// What code of others may change for the whole process or thread when it is loaded or first called (drivers do), put
/// back on destruction: the rounding and the treatment of subnormal numbers of the calling thread, the working folder,
/// the mask of permissions, the locale, and what SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE and SIGCHLD do. Never an
/// error; what cannot be read is not put back. What other threads change of it meanwhile is undone, too; one at a time:
/// another thread's waits for the destruction.
class KeptState {
 public:
  KeptState();
  ~KeptState();
  KeptState(const KeptState&) = delete;
  KeptState& operator=(const KeptState&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace overtake::platform
