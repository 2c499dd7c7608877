// SPDX-License-Identifier: MIT
// The only reader of environment variables (docs/environment.md lists them all).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace overtake::config {

/// Folder for compiled kernels: OVERTAKE_CACHE_DIR, else $XDG_CACHE_HOME/overtake, else ~/.cache/overtake. Empty when
/// OVERTAKE_CACHE_DIR is set to nothing or no home is known: then nothing is cached. The folder may not exist yet.
[[nodiscard]] std::optional<std::filesystem::path> cache_directory();

/// Extra folders to look for vendor libraries in, from OVERTAKE_LIBRARY_PATH (colon-separated), tried first.
[[nodiscard]] std::vector<std::filesystem::path> library_paths();

/// Threads of the CPU backend: OVERTAKE_THREADS, else 0 (all cores this process may run on).
[[nodiscard]] int threads();

}  // namespace overtake::config
