// SPDX-License-Identifier: MIT
// Bytes of a plain or gzip-compressed file.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

struct gzFile_s;

namespace overtake::data {

/// Throws DataError, naming the nearest file of the folder, if `path` is missing, a folder or not readable.
void require_readable(const std::filesystem::path& path);

/// Reads a file front to back; gzip data is expanded on the way.
class GzSource {
 public:
  /// Throws DataError if the file cannot be opened.
  explicit GzSource(const std::filesystem::path& path);

  /// Fills `target` from its front and returns the count; fewer than asked only at the end of the file. Throws
  /// DataError for a read error or damaged gzip data.
  [[nodiscard]] std::size_t read(std::span<char> target);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  struct Closer {
    void operator()(gzFile_s* file) const noexcept;
  };

  std::string name_;
  std::unique_ptr<gzFile_s, Closer> file_;
};

}  // namespace overtake::data
