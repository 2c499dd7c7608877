// SPDX-License-Identifier: MIT
// What a file is that is not what was expected, from its first bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace overtake::data {

/// A kind of file with what to do about it. In `cure` FILE stands for the file's name.
struct FileKind {
  std::string_view what;  ///< as in "d.csv is WHAT": "an xz-compressed file"
  std::string_view cure;
};

/// UTF-16, with or without a byte order mark: a table if it is read as such.
inline constexpr FileKind utf16_text = {"UTF-16 text", "Read it with --encoding utf-16."};

/// So many first bytes are worth looking at; recognise() does with fewer.
inline constexpr std::size_t kind_bytes = 4096;

/// The kind of binary or structured file that begins with these bytes: archives, compressed files, arrays, models,
/// databases, office documents, pictures, UTF-16 and UTF-32 text, JSON, web pages, ... Nothing for text that may be a
/// table, and for what is not known. A table is taken for nothing else because its first name is a format's magic word.
[[nodiscard]] std::optional<FileKind> recognise(std::span<const std::byte> head);
[[nodiscard]] std::optional<FileKind> recognise(std::string_view head);

/// True if the head is that of text: no control characters but blanks and line ends, no zero bytes.
[[nodiscard]] bool looks_like_text(std::string_view head);

/// The cure for the file `name`, quoted for a shell where it has to be.
[[nodiscard]] std::string cure_for(const FileKind& kind, std::string_view name);

/// True for the start of a safetensors file, such as models are saved in.
[[nodiscard]] bool is_safetensors(std::string_view head);

}  // namespace overtake::data
