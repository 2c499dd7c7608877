// SPDX-License-Identifier: MIT
// One writer at a time.
#pragma once

#include <filesystem>

namespace overtake::search_detail {

/// Keeps others from writing the same file for as long as it lives, or until the process ends, however it ends.
class WriterLock {
 public:
  /// Throws DataError when another process writes the journal, or the folder cannot be written.
  explicit WriterLock(const std::filesystem::path& journal);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace overtake::search_detail
