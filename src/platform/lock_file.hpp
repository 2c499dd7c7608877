// SPDX-License-Identifier: MIT
// One process at a time.
#pragma once

#include <filesystem>
#include <system_error>

#include "platform/file.hpp"

namespace overtake::platform {

/// A lock between processes that the existence of a file stands for. Held as long as the object lives; the system drops
/// it with the process, however that ends.
class LockFile {
 public:
  /// Nothing is held.
  LockFile() = default;
  /// Removes the file, if the lock was taken.
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// Creates the file and takes its lock without waiting; to be called once. Gives
  /// std::errc::device_or_resource_busy when another process holds it, else why the file cannot be made, or that its
  /// file system has no locks.
  [[nodiscard]] std::error_code take(const std::filesystem::path& path);

  /// True if some process holds the lock of this file, which is asked for without taking it. False where that cannot be
  /// told.
  [[nodiscard]] static bool is_held(const std::filesystem::path& path) noexcept;

 private:
  std::filesystem::path path_;
  File file_;
};

}  // namespace overtake::platform
