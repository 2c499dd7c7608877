// SPDX-License-Identifier: MIT
// What a file lies on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace overtake::platform {

/// The system's number of the kind of file system that holds a path, or its folder where there is no such file yet; 0
/// where it cannot be told.
[[nodiscard]] std::int64_t file_system_of(const std::filesystem::path& path);

/// "nfs", "fuse" and so on for file systems that several computers, or a virtual machine and its host, may share; empty
/// for all others.
[[nodiscard]] std::string_view shared_file_system(std::int64_t number) noexcept;

}  // namespace overtake::platform
