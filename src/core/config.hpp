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

/// False where OVERTAKE_VENDOR_LIBRARIES is "no": the optional libraries of a GPU's vendor (NVRTC, cuBLASLt) are not
/// looked for then, as if they were not installed.
[[nodiscard]] bool vendor_libraries();

/// CUDA toolkits that CUDA_PATH and CUDA_HOME name.
[[nodiscard]] std::vector<std::filesystem::path> cuda_toolkits();

/// Prefixes (the folders above bin/ and lib/) of the Python environments that are active, nearest first: VIRTUAL_ENV,
/// CONDA_PREFIX, that of each python3 on PATH, and ~/.local. Each once; absolute; not checked to exist.
[[nodiscard]] std::vector<std::filesystem::path> python_prefixes();

/// Most threads that may be asked for, by OVERTAKE_THREADS or otherwise.
inline constexpr int most_threads = 4096;

/// Threads of the CPU: OVERTAKE_THREADS, or 0 (one for each core this process may use) where it is unset, empty, 0 or
/// not a whole number up to most_threads.
[[nodiscard]] int threads();

/// Throws UsageError for a variable whose value threads() or vendor_libraries() would not take, naming the variable and
/// what it takes.
void check();

}  // namespace overtake::config
