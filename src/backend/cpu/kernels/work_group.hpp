// SPDX-License-Identifier: MIT
// Runs the groups of a launch on one thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "backend/api/program.hpp"
#include "backend/cpu/kernels/host.hpp"

namespace overtake::backend::cpu {

/// Most work-items of a group that waits at barriers.
inline constexpr std::int64_t most_fibers = 1024;

/// What all groups of a launch share.
struct GroupWork {
  KernelEntry entry = nullptr;
  bool needs_fibers = false;
  bool has_items = false;  ///< one call runs all work-items of a group, between barriers one after the other
  std::array<std::int32_t, 3> size{}, groups{};
  std::span<const std::uint64_t> words;   ///< arguments; for local memory its bytes
  std::span<const std::uint16_t> locals;  ///< which of them are local memory
  std::int64_t local_bytes = 0;           ///< of these together, each on a multiple of 64
};

/// What is wrong with a group; nothing when `what` is empty.
struct GroupTrouble {
  std::string what;
  const char* hint = "";
};

/// Runs groups begin to end - 1, counted along the first axis, then the second, up to one with whose barriers something
/// is wrong. Throws DeviceError where there is no memory for it.
[[nodiscard]] GroupTrouble run_groups(const GroupWork& work, std::int64_t begin, std::int64_t end);

}  // namespace overtake::backend::cpu
