// SPDX-License-Identifier: MIT
// Fibers: several courses of a program on one thread, each with a stack, which hand over to one another by name.
#pragma once

#include <cstddef>

namespace overtake::platform {

/// Where a course goes on. Good for one switch.
using Course = void*;

/// What a course learns when it goes on: who handed over, and with what.
struct HandedOver {
  Course from;
  void* data;
};

/// A course that begins with start(...) on the `bytes` of a stack that end at `end`. `start` does not return. It is
/// left for ever by nobody switching to it: nothing of it is destroyed then.
[[nodiscard]] Course make_course(std::byte* end, std::size_t bytes, void (*start)(HandedOver));

/// Goes on with `to` and returns when somebody switches to the course that called, on the same thread.
HandedOver switch_to(Course to, void* data);

/// "Boost.Context", or "ucontext", which makes two calls of the system a switch.
[[nodiscard]] const char* fiber_library() noexcept;

}  // namespace overtake::platform
