// SPDX-License-Identifier: MIT
#include "search/journal/journal_lock.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "overtake/error.hpp"
#include "overtake/search.hpp"

namespace overtake {

namespace search_detail {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_writing(const fs::path& journal, const std::error_code& error) {
  if (error == std::errc::device_or_resource_busy) {
    throw DataError(fmt::format("the journal {} is in use: another search writes it", journal.string()),
                    "Wait until it has ended, or give another journal; reading it is possible at any time.");
  }
  const bool no_locks = error == std::errc::no_lock_available || error == std::errc::function_not_supported ||
                        error == std::errc::operation_not_supported;
  throw DataError(fmt::format("cannot write the journal {}: {}", journal.string(), error.message()),
                  no_locks
                      ? "Its file system has no locks, which keep two searches apart: give a journal on a local disk."
                      : "Check that the folder exists and that you may write there.");
}

/// Two names of one file have one lock.
fs::path lock_path(const fs::path& journal) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(journal, ignored);
  return (resolved.empty() ? journal : resolved).string() + "-lock";
}

}  // namespace

// A lock file of its own, because SQLite's locks on the database come and go with each transaction, and are lost when
// the process closes any other descriptor of that file.
WriterLock::WriterLock(const fs::path& journal) {
  if (const std::error_code error = lock_.take(lock_path(journal))) fail_writing(journal, error);
}

}  // namespace search_detail

bool is_being_written(const std::filesystem::path& journal) {
  return platform::LockFile::is_held(search_detail::lock_path(journal));
}

}  // namespace overtake
