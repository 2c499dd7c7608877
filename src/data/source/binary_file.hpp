// SPDX-License-Identifier: MIT
// A binary file whose size is known before anything in it is believed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "overtake/data/array.hpp"

namespace overtake::data {

/// Sequential reads from a regular file, from the bytes of one, or from a part of one.
class BinaryFile {
 public:
  /// Throws DataError if the file is missing, not readable or not a regular file.
  explicit BinaryFile(const std::filesystem::path& path);
  /// `name`: for messages.
  BinaryFile(std::string_view bytes, std::string name);
  /// Of a stream that gives `size` bytes, cannot go back and may throw what is wrong with it.
  BinaryFile(std::unique_ptr<std::istream> stream, std::uint64_t size, std::string name);

  /// Size of the file in bytes.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Bytes not yet read.
  [[nodiscard]] std::uint64_t remaining() const noexcept { return size_ - position_; }

  /// Fills `target`. Throws DataError, saying how much is missing, if the file ends before; `what` names the part.
  void read(std::span<std::byte> target, const char* what);
  void read(std::span<char> target, const char* what);

  /// The first `count` bytes, fewer where the file is shorter, none of a stream that cannot go back. What read() gives
  /// does not change.
  [[nodiscard]] std::string head(std::size_t count);

  /// Throws DataError: "NAME is not a valid FORMAT file: PROBLEM".
  [[noreturn]] void fail(const char* format, const std::string& problem) const;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  std::unique_ptr<std::istream> stream_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  bool goes_back_ = true;
};

/// Bytes of an array of these extents; false in `fits` if they are negative or the product overflows 62 bits.
struct ByteCount {
  std::uint64_t bytes = 0;
  bool fits = false;
};
[[nodiscard]] ByteCount byte_count(std::span<const std::int64_t> extents, std::size_t element) noexcept;
[[nodiscard]] inline ByteCount byte_count(std::span<const std::int64_t> extents, ElementType type) noexcept {
  return byte_count(extents, size_of(type));
}

}  // namespace overtake::data
