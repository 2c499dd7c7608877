// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "overtake/data/preprocessing.hpp"
#include "overtake/memory.hpp"

namespace overtake::data {

/// Throws DeviceError where `times` copies of the encoded rows do not fit beside the table.
inline void require_room_for_rows(const Preprocessing& how, std::int64_t rows, int times, std::uint64_t limit) {
  const std::uint64_t target = how.task == Task::classification ? sizeof(std::int32_t) : sizeof(double);
  const std::uint64_t row = sizeof(float) * static_cast<std::uint64_t>(how.inputs()) + target;
  MemoryPlan plan;
  plan.add("encoded rows", static_cast<std::uint64_t>(times) * static_cast<std::uint64_t>(rows) * row);
  require_host_memory(plan, limit, "encoding the table", "give a file of fewer rows or columns.");
}

}  // namespace overtake::data
