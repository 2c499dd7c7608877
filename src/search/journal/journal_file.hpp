// SPDX-License-Identifier: MIT
// The file of a journal before SQLite sees it: what it is, and what it lies on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "platform/file_system.hpp"
#include "search/journal/database.hpp"

namespace overtake::search_detail {

/// Tests give numbers of their own.
using FileSystemProbe = std::int64_t (*)(const std::filesystem::path&);

/// What a journal is to be opened with.
struct JournalPlace {
  /// platform::shared_file_system(). SQLite's write-ahead log needs memory that all of its readers and writers share,
  /// which these do not give.
  std::string_view shared;
  bool exists = false;
  Database::Mode read_mode = Database::Mode::read;
};

/// Looks without waiting: never opens a pipe or a device. Throws DataError for everything that is no file, and no name
/// of a new one, also where a file of SQLite's beside the journal is (-wal, -shm, -journal, -lock); for a file that is
/// no SQLite database; for a write-ahead log on a shared file system; and for a rollback journal that would make SQLite
/// remove some other file.
[[nodiscard]] JournalPlace look_at_journal(const std::filesystem::path& path,
                                           FileSystemProbe probe = platform::file_system_of);

/// Removes a journal that was not there before, unless it is kept: once SQLite has closed it, while others are locked
/// out.
class NewJournal {
 public:
  explicit NewJournal(const std::filesystem::path& path);
  ~NewJournal();
  NewJournal(const NewJournal&) = delete;
  NewJournal& operator=(const NewJournal&) = delete;
  void keep() noexcept { is_kept_ = true; }

 private:
  std::filesystem::path main_, log_, shared_;  // SQLite's files
  bool is_kept_ = false;
};

}  // namespace overtake::search_detail
