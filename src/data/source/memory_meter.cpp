// SPDX-License-Identifier: MIT
#include "data/source/memory_meter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/sanitized.hpp"
#include "overtake/error.hpp"
#include "platform/held_memory.hpp"
#include "platform/host_limits.hpp"

namespace overtake::data {

std::string size_text(double bytes) {
  constexpr double kib = 1024.0;
  constexpr double mib = 1024.0 * kib;
  if (bytes < kib) return fmt::format("{:.0f} bytes", bytes);
  if (bytes < mib) return fmt::format("{:.1f} KiB", bytes / kib);
  return bytes < 1024 * mib ? fmt::format("{:.1f} MiB", bytes / mib) : fmt::format("{:.1f} GiB", bytes / mib / 1024);
}

MemoryMeter::MemoryMeter(std::string source, std::uint64_t limit)
    : source_(std::move(source)), given_(limit > 0), limit_(limit), held_before_(platform::held_memory()) {
  if (given_) return;
  limit_ = platform::usable_memory();
  limit_ -= limit_ / 8;
}

void MemoryMeter::look() {
  constexpr std::uint64_t between = std::uint64_t{1} << 20;
  next_look_ = taken_ + between;
#if defined(OVERTAKE_ADDRESS_SANITIZER) || defined(OVERTAKE_THREAD_SANITIZER)
  return;  // they keep what is freed, and a shadow of all
#endif
  const std::uint64_t held = platform::held_memory();
  const std::uint64_t more = held - std::min(held, held_before_);
  if (more > limit_) refuse_need("at least", static_cast<double>(more));
}

void MemoryMeter::refuse_need(const char* how, double bytes) const {
  // At one limit's edge both would be told by the same digits.
  while (size_text(bytes) == size_text(static_cast<double>(limit_))) bytes *= 1.0001;
  throw DeviceError(
      fmt::format("{}: reading it needs {} {} of the computer's memory beside the {} that the process held before, {} "
                  "may be used",
                  source_, how, size_text(bytes), size_text(static_cast<double>(held_before_)),
                  size_text(static_cast<double>(limit_))),
      given_ ? "Raise the memory limit (--memory-limit or --host-memory-limit), or give a file of fewer rows "
               "or columns."
             : "Give a file of fewer rows or columns, or use a computer with more memory.");
}

void MemoryMeter::refuse(std::uint64_t bytes) const {
  refuse_need("at least", static_cast<double>(used_) + static_cast<double>(bytes));
}

void MemoryMeter::refuse_expected(std::uint64_t bytes) const { refuse_need("about", static_cast<double>(bytes)); }

}  // namespace overtake::data
