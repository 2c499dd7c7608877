// SPDX-License-Identifier: MIT
// A text file of any supported encoding as UTF-8.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/source/gz_source.hpp"

namespace overtake::data {

enum class Encoding : std::uint8_t { utf8, utf16, utf16le, utf16be, latin1, windows1252 };

/// utf-8, utf-16 (by its byte order mark, else by where its zero bytes are), utf-16le, utf-16be, latin-1 (iso-8859-1)
/// or windows-1252 (cp1252), in any case, with or without hyphens. Throws UsageError naming the nearest.
[[nodiscard]] Encoding parse_encoding(std::string_view name);

/// Hands out the bytes of a plain or compressed file as UTF-8. UTF-8 passes through and is not checked here.
class DecodedSource {
 public:
  /// Throws DataError if the file cannot be opened, or begins as a file of another kind or encoding does.
  DecodedSource(const std::filesystem::path& path, Encoding encoding);

  /// Fills `target` from its front and returns the count; fewer than asked only at the end of the file or before a
  /// byte that the encoding does not allow: then problem() says so. Throws as GzSource.
  [[nodiscard]] std::size_t read(std::span<char> target);

  /// What ended read() before the end of the file: "byte 5 of the file, 0x81, is not valid windows-1252".
  [[nodiscard]] const std::optional<std::string>& problem() const noexcept { return problem_; }
  /// Bytes of the file itself that were used.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return source_.file_bytes(); }
  [[nodiscard]] const std::string& name() const noexcept { return source_.name(); }

 private:
  void check_head();
  void decode_some();
  void decode_bytes();
  void decode_units(bool last);
  void fail_at(std::size_t index, std::string_view what);

  GzSource source_;
  Encoding encoding_;
  std::string raw_;          // read and not yet decoded
  std::uint64_t taken_ = 0;  // raw bytes decoded before raw_
  std::string text_;         // decoded and not yet handed out, from text_next_ on
  std::size_t text_next_ = 0;
  bool finished_ = false;
  std::optional<std::string> problem_;
};

}  // namespace overtake::data
