// SPDX-License-Identifier: MIT
// One writer at a time.
#pragma once

#include <filesystem>

#include "platform/lock_file.hpp"

namespace overtake::search_detail {

/// Keeps others from writing the same file for as long as it lives, or until the process ends, however it ends.
class WriterLock {
 public:
  /// Throws DataError when another process writes the journal, or the folder cannot be written.
  explicit WriterLock(const std::filesystem::path& journal);

 private:
  platform::LockFile lock_;
};

}  // namespace overtake::search_detail
