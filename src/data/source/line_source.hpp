// SPDX-License-Identifier: MIT
// Physical lines of a text file, checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/decoded_source.hpp"

namespace overtake::data {

/// Hands out one line after the other, each with its line end (LF, CR LF or CR; the last may have none).
class LineSource {
 public:
  /// `encoding` as parse_encoding() knows it. Throws UsageError for another, DataError if the file cannot be opened or
  /// is of another kind.
  LineSource(const std::filesystem::path& path, std::size_t longest_line, std::string_view encoding = "utf-8");

  /// The next line, valid until the next call, or nothing at the end. Throws DataError, with line and byte, for a line
  /// that is too long, not of the encoding or holds a zero byte, and at first for a file that is of another kind. A
  /// byte order mark at the start of the file is dropped, and so is a first line "sep=;".
  [[nodiscard]] std::optional<std::string_view> next();

  /// 1-based number of the line that next() gave last; 0 before the first.
  [[nodiscard]] std::int64_t line() const noexcept { return line_; }
  /// The delimiter of a first line "sep=;", known once next() was called.
  [[nodiscard]] std::optional<char> declared_delimiter() const noexcept { return declared_delimiter_; }
  /// Bytes of the file itself, compressed or not, that the lines so far took; about, where it is not plain text.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return source_.name(); }

 private:
  /// Index of the first line-end byte at or after scan_, or end_.
  [[nodiscard]] std::size_t find_line_end() const noexcept;
  bool refill();
  void begin();
  void drop_byte_order_mark();
  void check_kind() const;
  void check_text(std::string_view text) const;
  [[nodiscard]] std::string_view take(std::size_t stop);

  DecodedSource source_;
  std::size_t longest_line_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;         // start of the current line
  std::size_t scan_ = 0;          // bytes before it are known to hold no line end
  std::size_t end_ = 0;           // bytes in the buffer
  std::uint64_t text_bytes_ = 0;  // of all that was ever in the buffer
  bool finished_ = false;
  std::int64_t line_ = 0;
  std::optional<char> declared_delimiter_;
};

}  // namespace overtake::data
