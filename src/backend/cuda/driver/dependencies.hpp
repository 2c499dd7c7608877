// SPDX-License-Identifier: MIT
// Which steps of a plan must wait for which: read-after-write, write-after-read and write-after-write over byte ranges.
// Pure host code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace overtake::backend::cuda {

/// Bytes [begin, end) of the device's address space.
struct MemoryRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What one step reads and writes. Ranges are addresses, so two names of the same bytes (arena slots that share memory,
/// one buffer bound twice, reused scratch) need no special case.
struct MemoryUse {
  std::vector<MemoryRange> reads;
  std::vector<MemoryRange> writes;
};

/// For each of `copies` repetitions of the steps, one after the other in list order, the earlier steps it must wait
/// for: result[c * steps.size() + i] lists indices of the same numbering, ascending, without those already implied by
/// another of the list (transitive reduction). Any order that keeps them gives the results of running the list in
/// order.
[[nodiscard]] std::vector<std::vector<int>> find_dependencies(std::span<const MemoryUse> steps, int copies);

/// The same numbering where each step waits for the one before it.
[[nodiscard]] std::vector<std::vector<int>> chain_dependencies(std::size_t steps, int copies);

/// Number of steps on the longest path: the steps that must follow each other, whatever runs beside them.
[[nodiscard]] int longest_path(std::span<const std::vector<int>> dependencies);

}  // namespace overtake::backend::cuda
