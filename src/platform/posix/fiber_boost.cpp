// SPDX-License-Identifier: MIT
#include <boost/context/detail/fcontext.hpp>

#include "platform/fiber.hpp"

namespace overtake::platform {
namespace {

namespace context = boost::context::detail;

// Not boost::context::fiber: its destructor throws an exception through a course that has not ended, which may be code
// that knows nothing of exceptions. These functions are what it is made of;
// they pass two pointers, as ours do.
static_assert(sizeof(HandedOver) == sizeof(context::transfer_t) && sizeof(Course) == sizeof(context::fcontext_t));

}  // namespace

Course make_course(std::byte* end, std::size_t bytes, void (*start)(HandedOver)) {
  // NOLINTNEXTLINE(bugprone-casting-through-void): GCC warns of the direct way
  auto* const begin = reinterpret_cast<void (*)(context::transfer_t)>(reinterpret_cast<void*>(start));
  return context::make_fcontext(end, bytes, begin);
}

HandedOver switch_to(Course to, void* data) {
  const context::transfer_t arrived = context::jump_fcontext(to, data);
  return {arrived.fctx, arrived.data};
}

const char* fiber_library() noexcept { return "Boost.Context"; }

}  // namespace overtake::platform
