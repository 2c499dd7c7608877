// SPDX-License-Identifier: MIT
#include "data/source/binary_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/checked.hpp"
#include "data/source/gz_source.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

BinaryFile::BinaryFile(const std::filesystem::path& path) : name_(path.string()) {
  require_readable(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw DataError(fmt::format("cannot read {}: it is no regular file", name_), "Copy it to a file first.");
  }
  errno = 0;
  stream_ = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*stream_) throw DataError(fmt::format("cannot read {}: {}", name_, os_error(errno)), "Check its permissions.");
  size_ = std::filesystem::file_size(path, error);
  if (error) throw DataError(fmt::format("cannot read {}: {}", name_, error.message()));
}

BinaryFile::BinaryFile(std::string_view bytes, std::string name)
    : name_(std::move(name)),
      stream_(std::make_unique<std::istringstream>(std::string(bytes), std::ios::binary)),
      size_(bytes.size()) {}

BinaryFile::BinaryFile(std::unique_ptr<std::istream> stream, std::uint64_t size, std::string name)
    : name_(std::move(name)), stream_(std::move(stream)), size_(size), goes_back_(false) {
  stream_->exceptions(std::ios::badbit);  // lets what the stream's buffer throws through
}

void BinaryFile::read(std::span<std::byte> target, const char* what) {
  read(std::span(reinterpret_cast<char*>(target.data()), target.size()), what);
}

void BinaryFile::read(std::span<char> target, const char* what) {
  if (target.size() > remaining()) {
    throw DataError(fmt::format("{} is cut off: its {} needs {} bytes from byte {} on, but the file has {}", name_,
                                what, target.size(), position_, size_),
                    "Copy or write the file again.");
  }
  errno = 0;
  stream_->read(target.data(), static_cast<std::streamsize>(target.size()));
  if (!*stream_) throw DataError(fmt::format("cannot read {}: {}", name_, os_error(errno)), "Check the disk.");
  position_ += target.size();
}

std::string BinaryFile::head(std::size_t count) {
  if (!goes_back_) return {};
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(count, size_)), '\0');
  stream_->seekg(0);
  stream_->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!*stream_) throw DataError(fmt::format("cannot read {}: {}", name_, os_error(errno)), "Check the disk.");
  stream_->seekg(static_cast<std::streamoff>(position_));
  return bytes;
}

void BinaryFile::fail(const char* format, const std::string& problem) const {
  throw DataError(fmt::format("{} is not a valid {} file: {}", name_, format, problem),
                  "Check that it is the file you mean, and copy or write it again.");
}

ByteCount byte_count(std::span<const std::int64_t> extents, std::size_t element) noexcept {
  // A zero extent must not hide that the others overflow, so they are multiplied as if it were one.
  std::int64_t product = static_cast<std::int64_t>(element);
  bool empty = false;
  for (const std::int64_t extent : extents) {
    if (extent < 0) return {};
    empty = empty || extent == 0;
    if (extent > 0 && !fits_mul(product, extent, product)) return {};
  }
  if (product > (std::int64_t{1} << 62)) return {};
  return {empty ? 0 : static_cast<std::uint64_t>(product), true};
}

}  // namespace overtake::data
