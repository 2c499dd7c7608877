// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace overtake {

/// The descriptor of this process that `path` is another name of: 1 for /dev/stdout, N for /dev/fd/N and
/// /proc/self/fd/N, also through links; nothing for every other path. The descriptor need not be open.
[[nodiscard]] std::optional<int> descriptor_named(const std::filesystem::path& path);

/// The name that writing to `path` writes to: links are followed, also where the file at their end does not exist yet.
/// Throws DataError for links that go in a circle.
[[nodiscard]] std::filesystem::path link_target(const std::filesystem::path& path);

/// How to raise the limit of this process that a failed write tells of: of open files (ulimit -n), of the size of files
/// (ulimit -f); for every other error `otherwise`.
[[nodiscard]] std::string limit_hint(const std::error_code& error, std::string_view otherwise);

/// Throws DataError if an AtomicFile of this path could not be written: the folder is missing or closed to writing, the
/// path is a folder or a socket, the file is write-protected. Nothing stays behind, and pipes and devices are not
/// opened: the reader of a pipe would take that for the end of the file.
void require_writable(const std::filesystem::path& path);

/// Writes a file so that it appears whole or not at all: bytes go to a file without a name in the same folder (where
/// the file system has none, to NAME.PROCESS-DIGITS.tmp), and `commit()` flushes them to the disk and renames. Without
/// `commit()` nothing stays; what a process that was killed left under such a name goes with the next file NAME. A file
/// that is replaced hands on its permissions; a link keeps pointing at the file it pointed at. A target that
/// exists and is no regular file (/dev/null, a pipe) and an open descriptor of this process (/dev/stdout) are written
/// directly.
class AtomicFile {
 public:
  /// Throws DataError if the temporary file cannot be created or the file that is there is write-protected. Waits up
  /// to 10 s for the reader of a pipe, then throws DataError.
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
  struct Target;
  std::unique_ptr<Target> target_;
};

/// Writes `text` as the whole file `path`, atomically. Throws DataError.
void write_text_file(const std::filesystem::path& path, std::string_view text);

}  // namespace overtake
