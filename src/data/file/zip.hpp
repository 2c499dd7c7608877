// SPDX-License-Identifier: MIT
// ZIP files, as far as NumPy's .npz goes: members that are stored or deflated, ZIP64. Nothing a file says is believed
// before it is checked against the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/binary_file.hpp"
#include "overtake/data/file.hpp"

namespace overtake::data {

/// A member as the directory of the file describes it.
struct ZipMember {
  std::string name;
  std::uint64_t packed = 0, size = 0;  ///< bytes in the file, and of the content
  std::uint64_t header = 0;            ///< where its local header begins
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// A ZIP file for reading.
class ZipReader {
 public:
  /// Reads the directory. Throws DataError for what is no ZIP file, for encrypted members and methods other than store
  /// and deflate, for sizes that cannot be, and for two members of one name.
  explicit ZipReader(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<ZipMember>& members() const noexcept { return members_; }
  /// The content of a member, unpacked while it is read. The read that reaches its end throws DataError where the
  /// checksum is another one; so does any read of damaged data.
  [[nodiscard]] BinaryFile open(const ZipMember& member) const;

 private:
  std::filesystem::path path_;
  std::uint64_t directory_ = 0;  ///< where members end
  std::vector<ZipMember> members_;
};

/// Writes a ZIP file, whole or not at all. The bytes depend on the content alone.
class ZipWriter {
 public:
  /// Throws DataError as AtomicFile.
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}

  /// Adds a member, whose content is `parts`, one behind the other. Throws DataError (a full disk, say).
  void add(const std::string& name, std::span<const std::string_view> parts, bool deflate);
  /// Writes the directory and gives the file its name. Call it once, last.
  void commit();

 private:
  void write(const std::string& bytes);

  AtomicFile file_;
  std::uint64_t position_ = 0;
  std::vector<ZipMember> members_;
};

}  // namespace overtake::data
