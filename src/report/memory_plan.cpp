// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/report.hpp"
#include "platform/held_memory.hpp"
#include "platform/host_limits.hpp"

namespace overtake {

void MemoryPlan::add(std::string what, std::uint64_t bytes, MemoryPlace place) {
  if (bytes > 0) parts.push_back({std::move(what), bytes, place});
}

std::uint64_t MemoryPlan::bytes(MemoryPlace place) const noexcept {
  std::uint64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.place == place ? part.bytes : 0;
  return sum;
}

std::string to_text(const MemoryPlan& plan, MemoryPlace place) {
  std::vector<const MemoryPart*> parts;
  for (const MemoryPart& part : plan.parts) {
    if (part.place == place) parts.push_back(&part);
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const MemoryPart* a, const MemoryPart* b) { return a->bytes > b->bytes; });
  std::string text;
  for (const MemoryPart* part : parts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", part->what, report::bytes(part->bytes));
  }
  return text;
}

std::uint64_t host_memory_held() { return platform::held_memory(); }

std::uint64_t host_memory_peak() { return platform::peak_memory(); }

std::uint64_t host_memory_left(std::uint64_t limit) {
  const std::uint64_t usable = platform::usable_memory();
  if (limit == 0) return usable;
  return std::min(usable, limit - std::min(limit, host_memory_held()));
}

void require_host_memory(const MemoryPlan& plan, std::uint64_t limit, std::string_view what, std::string_view change) {
  const std::uint64_t need = plan.bytes(MemoryPlace::host);
  if (plan.guessed || need <= host_memory_left(limit)) return;
  platform::return_free_memory();  // of a table that was read and forgotten, say
  const std::uint64_t left = host_memory_left(limit);
  if (need <= left) return;
  const std::uint64_t held = host_memory_held();
  const bool own_limit = limit > 0 && left < platform::usable_memory();
  const std::string bound = own_limit ? fmt::format("the limit is {}", report::bytes(limit))
                                      : fmt::format("the computer has {} left", report::bytes(left));
  throw DeviceError(
      fmt::format("{} needs {} of the computer's memory beside the {} that the process holds (its program and the "
                  "data), and {}: {}",
                  what, report::bytes(need), report::bytes(held), bound, to_text(plan, MemoryPlace::host)),
      fmt::format("{}{}", own_limit ? "Raise --host-memory-limit, or " : "", change));
}

}  // namespace overtake
