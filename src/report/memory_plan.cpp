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

namespace {

/// True where the limit that was given leaves less than the computer does.
bool is_own_limit(std::uint64_t limit, std::uint64_t left) { return limit > 0 && left < platform::usable_memory(); }

}  // namespace

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
  throw DeviceError(fmt::format("{} {}: {}", what, host_memory_lack(need, limit), to_text(plan, MemoryPlace::host)),
                    memory_cure(0, is_own_limit(limit, left) ? limit : 0, change));
}

std::string host_memory_lack(std::uint64_t need, std::uint64_t limit, std::string_view how) {
  const std::uint64_t left = host_memory_left(limit);
  const std::string_view by = platform::memory_left().by;
  const std::string bound = is_own_limit(limit, left)   ? fmt::format("the limit is {}", report::bytes(limit))
                            : by.starts_with("ulimit ") ? fmt::format("{} leaves {}", by, report::bytes(left))
                                                        : fmt::format("the computer has {} left", report::bytes(left));
  return fmt::format(
      "needs {}{}{} of the computer's memory beside the {} that the process holds (its program and the "
      "data), and {}",
      how, how.empty() ? "" : " ", report::bytes(need), report::bytes(host_memory_held()), bound);
}

std::string device_memory_lack(std::uint64_t need, std::uint64_t most, std::uint64_t limit) {
  return fmt::format("needs {} on the device, and {} {}", report::bytes(need), limit > 0 ? "the limit is" : "it has",
                     report::bytes(most));
}

std::string memory_cure(std::uint64_t device_limit, std::uint64_t host_limit, std::string_view change) {
  std::string flags = device_limit > 0 ? "--memory-limit" : "";
  if (host_limit > 0) flags += flags.empty() ? "--host-memory-limit" : " or --host-memory-limit";
  if (!flags.empty()) return fmt::format("Raise {}, or {}", flags, change);
  std::string alone(change);
  if (!alone.empty() && alone[0] >= 'a' && alone[0] <= 'z') alone[0] = static_cast<char>(alone[0] - 'a' + 'A');
  return alone;
}

}  // namespace overtake
