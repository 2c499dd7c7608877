// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/dependencies.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

namespace overtake::backend::cuda {
namespace {

/// A stretch of memory with one history: who wrote it last, and who read it since.
struct Segment {
  std::uint64_t end = 0;
  int writer = -1;
  std::vector<int> readers;
};

/// The history of all memory, as disjoint segments by start address.
class History {
 public:
  /// Records that `step` reads the range; adds the steps it must wait for to `waits`.
  void read(const MemoryRange& range, int step, std::vector<int>& waits) {
    visit(range, [&](Segment& segment) {
      if (segment.writer >= 0 && segment.writer != step) waits.push_back(segment.writer);
      if (segment.readers.empty() || segment.readers.back() != step) segment.readers.push_back(step);
    });
  }

  void write(const MemoryRange& range, int step, std::vector<int>& waits) {
    visit(range, [&](Segment& segment) {
      if (segment.writer >= 0 && segment.writer != step) waits.push_back(segment.writer);
      for (const int reader : segment.readers) {
        if (reader != step) waits.push_back(reader);
      }
      segment.writer = step;
      segment.readers.clear();
    });
  }

 private:
  /// Cuts the segment that contains `address` in two there, so that a range can start or end at it.
  void cut(std::uint64_t address) {
    auto after = segments_.upper_bound(address);
    if (after == segments_.begin()) return;
    const auto segment = std::prev(after);
    if (segment->first == address || segment->second.end <= address) return;
    Segment tail = segment->second;
    segment->second.end = address;
    segments_.emplace_hint(after, address, std::move(tail));
  }

  void visit(const MemoryRange& range, const std::function<void(Segment&)>& action) {
    if (range.begin >= range.end) return;
    cut(range.begin);
    cut(range.end);
    std::uint64_t position = range.begin;
    auto next = segments_.lower_bound(range.begin);
    while (position < range.end) {
      const bool gap = next == segments_.end() || next->first > position;
      if (gap) {
        const std::uint64_t end = next == segments_.end() ? range.end : std::min(range.end, next->first);
        next = segments_.emplace_hint(next, position, Segment{end, -1, {}});
      }
      action(next->second);
      position = next->second.end;
      ++next;
    }
  }

  std::map<std::uint64_t, Segment> segments_;
};

using Bits = std::vector<std::uint64_t>;

[[nodiscard]] bool test(const Bits& bits, int index) { return ((bits[index / 64] >> (index % 64)) & 1U) != 0; }

/// Keeps the waits that no other wait implies; `ancestors[i]` gets everything that comes before step i.
void reduce(std::vector<int>& waits, int step, std::vector<Bits>& ancestors) {
  std::sort(waits.begin(), waits.end(), std::greater<>());
  waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
  Bits& before = ancestors[step];
  std::vector<int> kept;
  for (const int wait : waits) {
    if (test(before, wait)) continue;
    kept.push_back(wait);
    for (std::size_t word = 0; word < before.size(); ++word) before[word] |= ancestors[wait][word];
    before[wait / 64] |= std::uint64_t{1} << (wait % 64);
  }
  std::reverse(kept.begin(), kept.end());
  waits = std::move(kept);
}

}  // namespace

std::vector<std::vector<int>> find_dependencies(std::span<const MemoryUse> steps, int copies) {
  const std::size_t total = steps.size() * static_cast<std::size_t>(std::max(copies, 0));
  std::vector<std::vector<int>> result(total);
  std::vector<Bits> ancestors(total, Bits((total + 63) / 64, 0));
  History history;
  for (std::size_t index = 0; index < total; ++index) {
    const MemoryUse& use = steps[index % steps.size()];
    const int step = static_cast<int>(index);
    // Reads first: a step that reads and writes the same bytes must wait for their last writer, not for itself.
    for (const MemoryRange& range : use.reads) history.read(range, step, result[index]);
    for (const MemoryRange& range : use.writes) history.write(range, step, result[index]);
    reduce(result[index], step, ancestors);
  }
  return result;
}

std::vector<std::vector<int>> chain_dependencies(std::size_t steps, int copies) {
  std::vector<std::vector<int>> result(steps * static_cast<std::size_t>(std::max(copies, 0)));
  for (std::size_t index = 1; index < result.size(); ++index) result[index] = {static_cast<int>(index) - 1};
  return result;
}

int longest_path(std::span<const std::vector<int>> dependencies) {
  std::vector<int> length(dependencies.size(), 1);
  int longest = 0;
  for (std::size_t index = 0; index < dependencies.size(); ++index) {
    for (const int wait : dependencies[index]) length[index] = std::max(length[index], length[wait] + 1);
    longest = std::max(longest, length[index]);
  }
  return longest;
}

}  // namespace overtake::backend::cuda
