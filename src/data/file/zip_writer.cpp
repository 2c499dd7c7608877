// SPDX-License-Identifier: MIT
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "data/file/zip.hpp"
#include "overtake/error.hpp"

namespace overtake::data {
namespace {

constexpr std::uint64_t in_zip64 = 0xFFFFFFFF, most_members = 0xFFFF;
constexpr std::uint64_t utf8_names = 0x0800;
constexpr std::uint64_t first_day = 0x0021;  // 1980-01-01: the bytes of a file do not depend on when it was written
constexpr std::uint64_t zip64_version = 45;

void put(std::string& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
}

// Method, time, day, checksum.
void put_properties(std::string& bytes, const ZipMember& member) {
  put(bytes, utf8_names, 2);
  put(bytes, member.deflated ? Z_DEFLATED : 0, 2);
  put(bytes, 0, 2);
  put(bytes, first_day, 2);
  put(bytes, member.crc, 4);
}

// Sizes stand in a ZIP64 field, as NumPy writes it.
std::string local_header(const ZipMember& member) {
  std::string bytes("PK\x03\x04", 4);
  put(bytes, zip64_version, 2);
  put_properties(bytes, member);
  put(bytes, in_zip64, 4);
  put(bytes, in_zip64, 4);
  put(bytes, member.name.size(), 2);
  constexpr std::uint64_t extra = 20;
  put(bytes, extra, 2);
  bytes += member.name;
  put(bytes, 1, 2);
  put(bytes, extra - 4, 2);
  put(bytes, member.size, 8);
  put(bytes, member.packed, 8);
  return bytes;
}

std::string entry(const ZipMember& member) {
  std::string extra;
  for (const std::uint64_t value : {member.size, member.packed, member.header}) {
    if (value >= in_zip64) put(extra, value, 8);
  }
  if (!extra.empty()) {
    std::string head;
    put(head, 1, 2);
    put(head, extra.size(), 2);
    extra.insert(0, head);
  }
  std::string bytes("PK\x01\x02", 4);
  put(bytes, zip64_version, 2);
  put(bytes, zip64_version, 2);
  put_properties(bytes, member);
  put(bytes, std::min(member.packed, in_zip64), 4);
  put(bytes, std::min(member.size, in_zip64), 4);
  put(bytes, member.name.size(), 2);
  put(bytes, extra.size(), 2);
  put(bytes, 0, 2);  // comment
  put(bytes, 0, 2);  // disk
  put(bytes, 0, 2);  // attributes
  put(bytes, 0, 4);
  put(bytes, std::min(member.header, in_zip64), 4);
  return bytes + member.name + extra;
}

// The records behind the directory.
std::string end_of(std::uint64_t begin, std::uint64_t size, std::uint64_t count) {
  std::string bytes;
  if (begin >= in_zip64 || size >= in_zip64 || count >= most_members) {
    bytes.assign("PK\x06\x06", 4);
    put(bytes, 44, 8);  // bytes that follow
    put(bytes, zip64_version, 2);
    put(bytes, zip64_version, 2);
    put(bytes, 0, 8);  // disks
    put(bytes, count, 8);
    put(bytes, count, 8);
    put(bytes, size, 8);
    put(bytes, begin, 8);
    bytes.append("PK\x06\x07", 4);
    put(bytes, 0, 4);
    put(bytes, begin + size, 8);
    put(bytes, 1, 4);
  }
  bytes.append("PK\x05\x06", 4);
  put(bytes, 0, 4);
  put(bytes, std::min(count, most_members), 2);
  put(bytes, std::min(count, most_members), 2);
  put(bytes, std::min(size, in_zip64), 4);
  put(bytes, std::min(begin, in_zip64), 4);
  put(bytes, 0, 2);
  return bytes;
}

// Calls feed(data, bytes) with pieces that zlib can count.
template <typename Feed>
void in_pieces(std::span<const std::string_view> parts, Feed feed) {
  constexpr std::size_t most = std::size_t{1} << 30U;
  for (std::string_view part : parts) {
    while (!part.empty()) {
      const std::string_view piece = part.substr(0, most);
      feed(reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
      part.remove_prefix(piece.size());
    }
  }
}

// zlib's state for one member.
class Deflater {
 public:
  Deflater() {
    constexpr int memory_level = 8;
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  void feed(const Bytef* data, uInt bytes, int flush) {
    stream_.next_in = const_cast<Bytef*>(data);  // NOLINT(cppcoreguidelines-pro-type-const-cast): zlib's signature
    stream_.avail_in = bytes;
    constexpr std::size_t step = std::size_t{1} << 16U;
    do {
      const std::size_t used = packed_.size();
      packed_.resize(used + step);
      stream_.next_out = reinterpret_cast<Bytef*>(packed_.data() + used);
      stream_.avail_out = static_cast<uInt>(step);
      deflate(&stream_, flush);
      packed_.resize(used + step - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }
  [[nodiscard]] const std::string& packed() const noexcept { return packed_; }

 private:
  z_stream stream_{};
  std::string packed_;
};

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::string_view> parts, bool deflate) {
  if (name.size() > most_members) throw UsageError("a name of more than 65,535 bytes");
  ZipMember member{.name = name, .packed = 0, .size = 0, .header = position_, .crc = 0, .deflated = deflate};
  in_pieces(parts, [&](const Bytef* data, uInt bytes) {
    member.crc = static_cast<std::uint32_t>(crc32(member.crc, data, bytes));
    member.size += bytes;
  });
  member.packed = member.size;
  if (deflate) {
    Deflater deflater;
    in_pieces(parts, [&](const Bytef* data, uInt bytes) { deflater.feed(data, bytes, Z_NO_FLUSH); });
    deflater.feed(nullptr, 0, Z_FINISH);
    member.packed = deflater.packed().size();
    write(local_header(member));
    write(deflater.packed());
  } else {
    write(local_header(member));
    for (const std::string_view part : parts) file_.write(part);
    position_ += member.size;
  }
  members_.push_back(std::move(member));
}

void ZipWriter::commit() {
  const std::uint64_t begin = position_;
  for (const ZipMember& member : members_) write(entry(member));
  write(end_of(begin, position_ - begin, members_.size()));
  file_.commit();
}

}  // namespace overtake::data
