// SPDX-License-Identifier: MIT
// Where the temporary memory of each operation lies. Pure host code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/cuda/driver/dependencies.hpp"

namespace overtake::backend::cuda {

/// Temporary memory of one operation. Its first `zeroed_bytes` must be zero before the first run, and the operation
/// leaves them zero (counters of a split reduction).
struct ScratchRequest {
  std::uint64_t bytes = 0;
  std::uint64_t zeroed_bytes = 0;
};

struct ScratchPlan {
  std::vector<std::uint64_t> offsets;  ///< of each request, 256-byte aligned
  std::vector<MemoryRange> zeroed;     ///< stretches to clear once
  std::uint64_t bytes = 0;
};

/// Lets operations share memory: requests with the same zeroed_bytes take turns over up to `lanes` stretches (fewer
/// when they are large), so that a zeroed head is never written by an operation that does not leave it zero. Neighbours
/// get different stretches and can run side by side; whoever shares a stretch must be ordered by its address range.
[[nodiscard]] ScratchPlan plan_scratch(std::span<const ScratchRequest> requests, int lanes = 4);

}  // namespace overtake::backend::cuda
