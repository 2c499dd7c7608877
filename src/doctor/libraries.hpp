// SPDX-License-Identifier: MIT
// The shared libraries that matter here: which copies this process has loaded, and why those.
#pragma once

#include <filesystem>
#include <vector>

#include "backend/api/details.hpp"
#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// The loaded libraries that compute, compile or reach a device, with what led to them. `known`: the files that the
/// backends may load. `root`: the folder that /proc is looked for in.
[[nodiscard]] std::vector<LoadedLibrary> loaded_libraries(const std::vector<backend::LibraryFile>& known,
                                                          const std::filesystem::path& root = "/");

/// Libraries of which more than one copy may be taken.
[[nodiscard]] std::vector<Finding> copy_findings(const std::vector<backend::LibraryFile>& known,
                                                 const std::vector<LoadedLibrary>& loaded);

}  // namespace overtake::doctor
