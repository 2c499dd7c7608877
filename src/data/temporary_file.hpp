// SPDX-License-Identifier: MIT
// What a file is written as before it has its name: without any name where the file system can, so that a kill leaves
// nothing, else under a name that says whose it is.
#pragma once

#include <filesystem>

namespace overtake::data {

/// Opens a file without a name in `folder` for writing. -1 where that, or giving it a name later, is not sure to work.
[[nodiscard]] int open_unnamed(const std::filesystem::path& folder) noexcept;

/// Gives a file of open_unnamed() a name. False, with errno, if that fails.
[[nodiscard]] bool give_name(int descriptor, const std::filesystem::path& name) noexcept;

/// A name beside `target` that nobody has: the process and random digits are in it.
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& target);

/// Marks a file with a name as being written, until it is closed.
void mark_written(int descriptor) noexcept;

/// Removes what temporary_name(target) named in processes that are no more. Files that somebody writes stay, also
/// those of another container, whose processes are not seen here.
void remove_left_over(const std::filesystem::path& target) noexcept;

}  // namespace overtake::data
