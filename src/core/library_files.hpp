// SPDX-License-Identifier: MIT
// Where shared libraries lie, found without loading them: loading one runs its code.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::detail {

/// Files that the dynamic loader may take for a library that is asked for by name ("libcuda.so.1") here: those in
/// OVERTAKE_LIBRARY_PATH, LD_LIBRARY_PATH, the loader's cache and its usual folders, in this order, each once. A name
/// with a slash is that file. Regular files only. Empty where there is none. `root`: where the cache and the usual
/// folders are looked for.
[[nodiscard]] std::vector<std::filesystem::path> library_files(std::string_view name,
                                                               const std::filesystem::path& root = "/");

/// One of them, and what led to it.
struct PlacedLibrary {
  std::filesystem::path path;
  std::string reason;  ///< "OVERTAKE_LIBRARY_PATH", "LD_LIBRARY_PATH", "the loader's cache", "a usual folder", "named"
};
/// library_files() with the reasons; those of another architecture are left out, as the loader passes over them.
[[nodiscard]] std::vector<PlacedLibrary> placed_library_files(std::string_view name,
                                                              const std::filesystem::path& root = "/");

/// What the loader would open for such a name, or path, and might wait at for ever: a named pipe or a device. Empty
/// where it finds a regular file first, or nothing. Looks without opening.
[[nodiscard]] std::filesystem::path trap_for(std::string_view name);

/// True for a file that this process cannot load because it is of another architecture; false where that cannot be
/// told.
[[nodiscard]] bool is_foreign_library(const std::filesystem::path& path);

/// What changes when a file is replaced: its path without links, its size and its time of change; "PATH: none" where
/// it cannot be read.
[[nodiscard]] std::string file_stamp(const std::filesystem::path& path);

}  // namespace overtake::detail
