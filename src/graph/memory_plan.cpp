// SPDX-License-Identifier: MIT
#include "graph/memory_plan.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

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
    all[i].slot = static_cast<int>(i);
    all[i].bytes = (schedule.slots[i].bytes + alignment - 1) / alignment * alignment;
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

// Free places of the arena, joined where they touch.
class Holes {
 public:
  /// The start of the smallest hole of so many bytes; the arena grows where there is none.
  std::uint64_t take(std::uint64_t bytes) {
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) return grow(bytes);
    const auto [size, offset] = *found;
    erase(offset, size);
    if (size > bytes) insert(offset + bytes, size - bytes);
    return offset;
  }

  void give(std::uint64_t offset, std::uint64_t bytes) {
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      const auto [start, size] = *std::prev(next);
      if (start + size == offset) {
        erase(start, size);
        return give(start, size + bytes);
      }
    }
    if (next != by_offset_.end() && offset + bytes == next->first) {
      const std::uint64_t size = next->second;
      erase(offset + bytes, size);
      bytes += size;
    }
    insert(offset, bytes);
  }

  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }

 private:
  std::uint64_t grow(std::uint64_t bytes) {
    const std::uint64_t offset = end_;
    end_ += bytes;
    return offset;
  }
  void insert(std::uint64_t offset, std::uint64_t bytes) {
    by_offset_[offset] = bytes;
    by_size_.insert({bytes, offset});
  }
  void erase(std::uint64_t offset, std::uint64_t bytes) {
    by_offset_.erase(offset);
    by_size_.erase({bytes, offset});
  }

  std::map<std::uint64_t, std::uint64_t> by_offset_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> by_size_;
  std::uint64_t end_ = 0;
};

// In the order of time; each slot into the smallest hole it fits.
void place_by_time(std::vector<Life> lives, backend::Schedule& schedule) {
  std::stable_sort(lives.begin(), lives.end(), [](const Life& a, const Life& b) { return a.first < b.first; });
  Holes holes;
  std::multimap<int, const Life*> ends;
  const auto offset_of = [&](const Life& life) -> std::uint64_t& {
    return schedule.slots[static_cast<std::size_t>(life.slot)].arena_offset;
  };
  for (const Life& life : lives) {
    while (!ends.empty() && ends.begin()->first < life.first) {
      const Life& over = *ends.begin()->second;
      holes.give(offset_of(over), over.bytes);
      ends.erase(ends.begin());
    }
    offset_of(life) = holes.take(life.bytes);
    ends.emplace(life.last, &life);
  }
  schedule.arena_bytes = holes.end();
}

// The largest first, each at the lowest offset that no slot alive at the same time covers: denser, but each slot is
// compared with all before it.
void place_by_size(std::vector<Life> open, backend::Schedule& schedule) {
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

}  // namespace

void plan_memory(backend::Schedule& schedule) {
  constexpr std::size_t many = 2000;
  std::vector<Life> open = lives(schedule);
  if (open.size() > many) return place_by_time(std::move(open), schedule);
  place_by_size(std::move(open), schedule);
}

}  // namespace overtake::graph
