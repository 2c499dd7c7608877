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

}  // namespace overtake::platform
