// SPDX-License-Identifier: MIT
// Who may write and replace a file.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "platform/file.hpp"

namespace overtake::platform {

/// Why this user may not write to a file; no error where it may.
[[nodiscard]] std::error_code writing_denied(const std::filesystem::path& path) noexcept;

/// True where only owners may replace files (a sticky folder, as /tmp), and we are owner of neither `file` nor
/// `folder`, which holds it.
[[nodiscard]] bool only_owners_replace(const std::filesystem::path& file, const std::filesystem::path& folder) noexcept;

/// The name of the user that a file belongs to, else the number; empty where there is no such file.
[[nodiscard]] std::string owner_of(const std::filesystem::path& path);

/// Gives `file` the owner, group and permissions of the file `old`, which it is going to replace, as far as we may and
/// the file system can.
void keep_permissions(const File& file, const std::filesystem::path& old) noexcept;

}  // namespace overtake::platform
