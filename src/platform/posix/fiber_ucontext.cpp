// SPDX-License-Identifier: MIT
#include <ucontext.h>

#include <memory>

#include "platform/fiber.hpp"

namespace overtake::platform {
namespace {

thread_local HandedOver handed_over;
thread_local void (*start_next)(HandedOver);

/// What a Course points to: of one that has not begun, at the top of its stack; of one that waits, in its frame of
/// switch_to(). makecontext takes no pointers, so where it begins is kept beside.
struct Waiting {
  ucontext_t context;
  void (*start)(HandedOver);
};

void begin() { start_next(handed_over); }

}  // namespace

Course make_course(std::byte* end, std::size_t bytes, void (*start)(HandedOver)) {
  std::byte* const at = end - (sizeof(Waiting) + 64) / 64 * 64;
  auto* const waiting = std::construct_at(reinterpret_cast<Waiting*>(at), Waiting{{}, start});
  ::getcontext(&waiting->context);
  waiting->context.uc_stack.ss_sp = end - bytes;
  waiting->context.uc_stack.ss_size = bytes - static_cast<std::size_t>(end - at);
  waiting->context.uc_link = nullptr;
  ::makecontext(&waiting->context, begin, 0);
  return waiting;
}

HandedOver switch_to(Course to, void* data) {
  Waiting here{{}, nullptr};
  auto* const next = static_cast<Waiting*>(to);
  handed_over = {&here, data};
  start_next = next->start;
  ::swapcontext(&here.context, &next->context);
  return handed_over;
}

const char* fiber_library() noexcept { return "ucontext"; }

}  // namespace overtake::platform
