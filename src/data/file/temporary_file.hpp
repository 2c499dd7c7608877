// SPDX-License-Identifier: MIT
// Names that say whose a file is that is still being written.
#pragma once

#include <filesystem>

namespace overtake::data {

/// A name beside `target` that nobody has: the process and random digits are in it.
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& target);

/// Removes what temporary_name(target) named in processes that are no more. Files that somebody has marked as
/// being written (platform/file.hpp) stay, also those of another container, whose processes are not seen here.
void remove_left_over(const std::filesystem::path& target) noexcept;

}  // namespace overtake::data
