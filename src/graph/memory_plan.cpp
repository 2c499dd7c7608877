// SPDX-License-Identifier: MIT
#include "graph/memory_plan.hpp"

#include <algorithm>

#include "overtake/dtype.hpp"

namespace overtake::graph {
namespace {

constexpr std::uint64_t alignment = 256;

struct Life {
  int slot = -1;
  int first = -1, last = -1;  // operations
  std::uint64_t bytes = 0;
};

void touch(Life& life, int operation) {
  if (life.first < 0) life.first = operation;
  life.last = operation;
}

std::vector<Life> lives(const backend::Schedule& schedule) {
  std::vector<Life> all(schedule.slots.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(schedule.slots[i].elements) * size_of(DType::float32);
    all[i].slot = static_cast<int>(i);
    all[i].bytes = (bytes + alignment - 1) / alignment * alignment;
  }
  for (std::size_t i = 0; i < schedule.operations.size(); ++i) {
    const backend::SlotUse use = backend::slots_used(schedule.operations[i]);
    for (const int slot : use.writes) touch(all[static_cast<std::size_t>(slot)], static_cast<int>(i));
    for (const int slot : use.reads) touch(all[static_cast<std::size_t>(slot)], static_cast<int>(i));
  }
  std::erase_if(all, [&](const Life& life) {
    return life.first < 0 || schedule.slots[static_cast<std::size_t>(life.slot)].external;
  });
  return all;
}

}  // namespace

void plan_memory(backend::Schedule& schedule) {
  std::vector<Life> open = lives(schedule);
  std::stable_sort(open.begin(), open.end(), [](const Life& a, const Life& b) { return a.bytes > b.bytes; });
  std::vector<Life> placed;  // ascending offsets
  const auto offset_of = [&](const Life& life) -> std::uint64_t& {
    return schedule.slots[static_cast<std::size_t>(life.slot)].arena_offset;
  };
  schedule.arena_bytes = 0;
  for (const Life& life : open) {
    std::uint64_t offset = 0;
    for (const Life& other : placed) {
      const bool meets = life.first <= other.last && other.first <= life.last;
      if (!meets || offset_of(other) + other.bytes <= offset) continue;
      if (offset_of(other) >= offset + life.bytes) break;
      offset = offset_of(other) + other.bytes;
    }
    offset_of(life) = offset;
    schedule.arena_bytes = std::max(schedule.arena_bytes, offset + life.bytes);
    const auto place =
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [&](std::uint64_t value, const Life& other) { return value < offset_of(other); });
    placed.insert(place, life);
  }
}

}  // namespace overtake::graph
