// SPDX-License-Identifier: MIT
// The file of a journal before SQLite sees it: what it is, and what it lies on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "search/database.hpp"

namespace overtake::search_detail {

/// The number of the file system that holds a path (statfs(2), f_type); 0 where it cannot be told.
[[nodiscard]] std::int64_t file_system_of(const std::filesystem::path& path);
/// Tests give numbers of their own.
using FileSystemProbe = std::int64_t (*)(const std::filesystem::path&);

/// "nfs", "fuse" and so on for file systems that several computers, or a virtual machine and its host, may share; empty
/// for all others. SQLite's write-ahead log needs memory that all of its readers and writers share, which these do not
/// give.
[[nodiscard]] std::string_view shared_file_system(std::int64_t number) noexcept;

/// What a journal is to be opened with.
struct JournalPlace {
  std::string_view shared;  ///< shared_file_system()
  bool exists = false;
  Database::Mode read_mode = Database::Mode::read;
};

/// Looks without waiting: never opens a pipe or a device. Throws DataError for everything that is no file, and no name
/// of a new one, also where a file of SQLite's beside the journal is (-wal, -shm, -journal, -lock); for a file that is
/// no SQLite database; for a write-ahead log on a shared file system; and for a rollback journal that would make SQLite
/// remove some other file.
[[nodiscard]] JournalPlace look_at_journal(const std::filesystem::path& path, FileSystemProbe probe = file_system_of);

}  // namespace overtake::search_detail
