// SPDX-License-Identifier: MIT
// What this process holds of the computer's memory.
#pragma once

#include <cstdint>
#include <filesystem>

namespace overtake::platform {

/// Bytes in memory now, libraries included; 0 where the system does not say. `root` as in host_limits.hpp.
[[nodiscard]] std::uint64_t held_memory(const std::filesystem::path& root = "/");
/// The most that it ever was.
[[nodiscard]] std::uint64_t peak_memory(const std::filesystem::path& root = "/");

/// Gives back what the allocator keeps of memory that was freed, where it can.
void return_free_memory() noexcept;

}  // namespace overtake::platform
