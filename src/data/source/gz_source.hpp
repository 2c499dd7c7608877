// SPDX-License-Identifier: MIT
// Bytes of a plain or gzip-compressed file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/file.hpp"

struct z_stream_s;

namespace overtake::data {

/// Throws DataError, naming the nearest file of the folder, if `path` is missing, a folder or not readable.
void require_readable(const std::filesystem::path& path);

/// Reads a file or a pipe once, front to back; gzip data (RFC 1952, any number of members) is expanded on the way. Zero
/// bytes after the last member are padding; all else that is no whole member is damage.
class GzSource {
 public:
  /// Throws DataError if the file cannot be opened.
  explicit GzSource(const std::filesystem::path& path);
  ~GzSource();
  GzSource(const GzSource&) = delete;
  GzSource& operator=(const GzSource&) = delete;

  /// Fills `target` from its front and returns the count; fewer than asked only at the end of the file. Throws
  /// DataError for a read error, for gzip data that is damaged or cut off, and for bytes after it.
  [[nodiscard]] std::size_t read(std::span<char> target);

  /// The first `count` bytes that read() gives, fewer only where there are no more, without taking them. To be called
  /// before read(); the view is valid until then. Throws as read().
  [[nodiscard]] std::string_view peek(std::size_t count);

  /// Bytes of the file itself, compressed or not, that read() has used.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return taken_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  struct Inflater;

  std::size_t read_expanded(std::span<char> target);
  std::size_t read_raw(std::span<char> target);
  /// Makes at least `count` raw bytes lie at next_, or all that are left, and returns how many do.
  std::size_t need(std::size_t count);
  bool begin_member();
  std::size_t inflate_some(std::span<char> target);
  void skip_padding();
  [[noreturn]] void fail_damaged(std::string_view problem) const;

  std::string name_;
  platform::File file_;
  std::vector<char> raw_;  // read from the file and not yet used: next_ to end_
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::uint64_t taken_ = 0;  // raw bytes before next_
  bool started_ = false;
  bool at_end_ = false;               // of the expanded data
  std::unique_ptr<Inflater> member_;  // gzip only
  bool inside_member_ = false;
  std::vector<char> ahead_;  // expanded by peek(), not yet read
  std::size_t ahead_next_ = 0;
};

}  // namespace overtake::data
