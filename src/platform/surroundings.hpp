// SPDX-License-Identifier: MIT
// What this process runs in, and which files it has loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace overtake::platform {

/// "docker", "podman", "kubernetes", "lxc", "singularity", "wsl1", "wsl2" or "container", by what such surroundings
/// leave in a file system; empty where nothing of them is seen.
[[nodiscard]] std::string container_kind(const std::filesystem::path& root = "/");

/// Bytes that this process may lock in memory (ulimit -l); 2^64-1: no limit.
[[nodiscard]] std::uint64_t locked_memory_limit() noexcept;

/// The files whose code this process has loaded, each once, in the order of their addresses.
[[nodiscard]] std::vector<std::filesystem::path> loaded_files(const std::filesystem::path& root = "/");

/// The name and the home folder of this user, and the name of this computer, as the system has them; empty where it has
/// none.
[[nodiscard]] std::string user_name();
[[nodiscard]] std::string home_folder();
[[nodiscard]] std::string computer_name();

}  // namespace overtake::platform
