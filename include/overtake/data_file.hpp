// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace overtake {

/// Writes a file so that it appears whole or not at all: bytes go to a temporary name in the same folder, and
/// `commit()` flushes them to the disk and renames. Without `commit()` the destructor removes the temporary file. A
/// target that exists and is no regular file (/dev/null, a pipe) is written directly.
class AtomicFile {
 public:
  /// Throws DataError if the temporary file cannot be created.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes. Throws DataError naming the file and the cause (a full disk, say).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// Makes the file visible under its name; call it once, last. Throws DataError on failure.
  void commit();

 private:
  void close() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty when the target is written directly
  int descriptor_ = -1;
};

/// Writes `text` as the whole file `path`, atomically. Throws DataError.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace overtake
