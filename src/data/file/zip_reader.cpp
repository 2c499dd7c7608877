// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <istream>
#include <limits>
#include <new>
#include <set>
#include <streambuf>

#include "data/file/zip.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {
namespace {

constexpr const char* format_name = "ZIP";
constexpr std::uint64_t end_bytes = 22, locator_bytes = 20, end64_bytes = 56, entry_bytes = 46, local_bytes = 30;
constexpr std::uint64_t in_zip64 = 0xFFFFFFFF, count_in_zip64 = 0xFFFF;

// Little-endian numbers from a text; reads beyond its end give 0, callers check lengths first.
std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
  }
  return value;
}

// Reads at places of a file.
class Places {
 public:
  explicit Places(const std::filesystem::path& path) : file_(path), path_(path) {}

  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[noreturn]] void fail(const std::string& problem) const { file_.fail(format_name, problem); }
  [[nodiscard]] const std::string& name() const { return file_.name(); }

  std::string read(std::uint64_t begin, std::uint64_t count, const char* what) const {
    if (begin > size() || count > size() - begin) fail(fmt::format("its {} lies outside of the file", what));
    std::ifstream stream(path_, std::ios::binary);
    std::string bytes(static_cast<std::size_t>(count), '\0');
    stream.seekg(static_cast<std::streamoff>(begin));
    stream.read(bytes.data(), static_cast<std::streamsize>(count));
    if (!stream) throw DataError(fmt::format("cannot read {}", name()), "Check the disk.");
    return bytes;
  }

 private:
  BinaryFile file_;
  std::filesystem::path path_;
};

struct Directory {
  std::uint64_t begin = 0, bytes = 0, count = 0;
};

// The record at the end of the file, behind which a comment may stand.
Directory find_directory(const Places& file) {
  constexpr std::uint64_t longest_comment = 0xFFFF;
  constexpr std::string_view end_magic("PK\x05\x06", 4), locator_magic("PK\x06\x07", 4), end64_magic("PK\x06\x06", 4);
  if (file.size() < end_bytes) file.fail("it is too short");
  const std::uint64_t tail_bytes = std::min(file.size(), end_bytes + longest_comment);
  const std::uint64_t tail_begin = file.size() - tail_bytes;
  const std::string tail = file.read(tail_begin, tail_bytes, "end");
  std::size_t at = tail.rfind(end_magic, static_cast<std::size_t>(tail_bytes - end_bytes));
  while (at != std::string::npos && at + end_bytes + number(tail, at + 20, 2) != tail_bytes) {
    at = at == 0 ? std::string::npos : tail.rfind(end_magic, at - 1);
  }
  if (at == std::string::npos) file.fail("its directory is missing: it is no ZIP file, or its end is cut off");
  Directory found{number(tail, at + 16, 4), number(tail, at + 12, 4), number(tail, at + 10, 2)};
  const std::uint64_t end = tail_begin + at;
  if (found.begin == in_zip64 || found.bytes == in_zip64 || found.count == count_in_zip64) {
    if (end < locator_bytes) file.fail("its ZIP64 directory is missing");
    const std::string locator = file.read(end - locator_bytes, locator_bytes, "ZIP64 locator");
    if (!locator.starts_with(locator_magic)) file.fail("its ZIP64 directory is missing");
    const std::string end64 = file.read(number(locator, 8, 8), end64_bytes, "ZIP64 directory");
    if (!end64.starts_with(end64_magic)) file.fail("its ZIP64 directory is missing");
    found = {number(end64, 48, 8), number(end64, 40, 8), number(end64, 32, 8)};
  }
  if (found.begin > end || found.bytes > end - found.begin) file.fail("its directory lies outside of the file");
  if (found.count > found.bytes / entry_bytes) {
    file.fail(fmt::format("a directory of {} bytes cannot list {} members", found.bytes, found.count));
  }
  return found;
}

// Numbers that do not fit into 32 bits stand in the extra field, in this order.
void read_zip64(std::string_view extra, ZipMember& member, const Places& file) {
  constexpr std::uint64_t zip64_field = 1;
  const std::array<std::uint64_t*, 3> wanted{&member.size, &member.packed, &member.header};
  const bool any = std::any_of(wanted.begin(), wanted.end(), [](const auto* value) { return *value == in_zip64; });
  if (!any) return;
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::size_t length = static_cast<std::size_t>(number(extra, at + 2, 2));
    if (number(extra, at, 2) != zip64_field) {
      at += 4 + length;
      continue;
    }
    std::size_t next = at + 4;
    for (std::uint64_t* value : wanted) {
      if (*value != in_zip64) continue;
      if (next + 8 > at + 4 + length || next + 8 > extra.size()) file.fail("a ZIP64 field is cut off");
      *value = number(extra, next, 8);
      next += 8;
    }
    return;
  }
}

ZipMember read_entry(std::string_view entry, std::string_view extra, const Places& file) {
  ZipMember member;
  member.name = std::string(entry.substr(entry_bytes));
  member.crc = static_cast<std::uint32_t>(number(entry, 16, 4));
  member.packed = number(entry, 20, 4);
  member.size = number(entry, 24, 4);
  member.header = number(entry, 42, 4);
  read_zip64(extra, member, file);
  const std::uint64_t method = number(entry, 10, 2);
  if ((number(entry, 8, 2) & 1U) != 0) {
    throw DataError(fmt::format("{}: its member {} is encrypted", file.name(), quote(member.name)),
                    "Unpack it and pack it again without a password.");
  }
  if (method != 0 && method != Z_DEFLATED) {
    throw DataError(fmt::format("{}: its member {} is packed by method {}, expected stored or deflated", file.name(),
                                quote(member.name), method),
                    "Pack it again, as numpy.savez() does.");
  }
  member.deflated = method == Z_DEFLATED;
  constexpr std::uint64_t most_expansion = 1032;  // of deflate: what a size may be before memory is taken for it
  const bool possible = member.deflated ? member.size / most_expansion <= member.packed : member.size == member.packed;
  if (!possible) {
    file.fail(
        fmt::format("{} bytes cannot hold the {} of its member {}", member.packed, member.size, quote(member.name)));
  }
  return member;
}

// The bytes of a member, unpacked.
class MemberBuffer final : public std::streambuf {
 public:
  MemberBuffer(const std::filesystem::path& path, std::uint64_t begin, const ZipMember& member, std::string name)
      : file_(path, std::ios::binary),
        name_(std::move(name)),
        packed_left_(member.packed),
        left_(member.size),
        expected_crc_(member.crc),
        deflated_(member.deflated) {
    file_.seekg(static_cast<std::streamoff>(begin));
    if (deflated_ && inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~MemberBuffer() override {
    if (deflated_) inflateEnd(&stream_);
  }
  MemberBuffer(const MemberBuffer&) = delete;
  MemberBuffer& operator=(const MemberBuffer&) = delete;

 protected:
  int_type underflow() override {
    if (left_ == 0) return traits_type::eof();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, ready_.size()));
    const std::size_t got = deflated_ ? inflate_into(wanted) : read_packed(std::span(ready_).first(wanted));
    if (got == 0) fail("it ends early");
    crc_ =
        static_cast<std::uint32_t>(crc32(crc_, reinterpret_cast<const Bytef*>(ready_.data()), static_cast<uInt>(got)));
    left_ -= got;
    if (left_ == 0 && crc_ != expected_crc_) fail("its checksum is another one");
    setg(ready_.data(), ready_.data(), ready_.data() + got);
    return traits_type::to_int_type(ready_[0]);
  }

 private:
  [[noreturn]] void fail(std::string_view problem) const {
    throw DataError(fmt::format("{} is damaged: {}", name_, problem), "Copy or write the file again.");
  }

  std::size_t read_packed(std::span<char> target) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(packed_left_, target.size()));
    file_.read(target.data(), static_cast<std::streamsize>(count));
    if (!file_) fail("the file ends early");
    packed_left_ -= count;
    return count;
  }

  std::size_t inflate_into(std::size_t wanted) {
    stream_.next_out = reinterpret_cast<Bytef*>(ready_.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(raw_.data());
        stream_.avail_in = static_cast<uInt>(read_packed(raw_));
      }
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code == Z_STREAM_END) break;
      if (code != Z_OK || (stream_.avail_in == 0 && packed_left_ == 0)) break;
    }
    return wanted - stream_.avail_out;
  }

  std::ifstream file_;
  std::string name_;
  std::uint64_t packed_left_, left_;
  std::uint32_t expected_crc_, crc_ = 0;
  bool deflated_;
  z_stream stream_{};
  std::array<char, std::size_t{1} << 16U> ready_, raw_;
};

// A stream that owns its buffer.
class MemberStream final : public std::istream {
 public:
  explicit MemberStream(std::unique_ptr<MemberBuffer> buffer)
      : std::istream(buffer.get()), buffer_(std::move(buffer)) {}

 private:
  std::unique_ptr<MemberBuffer> buffer_;
};

}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path) : path_(path) {
  const Places file(path);
  const Directory directory = find_directory(file);
  directory_ = directory.begin;
  const std::string bytes = file.read(directory.begin, directory.bytes, "directory");
  std::set<std::string> names;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    const std::string_view rest = std::string_view(bytes).substr(at);
    if (rest.size() < entry_bytes || !rest.starts_with(std::string_view("PK\x01\x02", 4))) {
      file.fail(fmt::format("entry {} of its directory is damaged", i + 1));
    }
    const std::uint64_t name = number(rest, 28, 2), extra = number(rest, 30, 2), comment = number(rest, 32, 2);
    if (entry_bytes + name + extra + comment > rest.size()) file.fail("its directory is cut off");
    const auto head = static_cast<std::size_t>(entry_bytes + name);
    members_.push_back(read_entry(rest.substr(0, head), rest.substr(head, static_cast<std::size_t>(extra)), file));
    if (!names.insert(members_.back().name).second) {
      file.fail(fmt::format("two members are called {}", quote(members_.back().name)));
    }
    at += static_cast<std::size_t>(entry_bytes + name + extra + comment);
  }
}

BinaryFile ZipReader::open(const ZipMember& member) const {
  const Places file(path_);
  const std::string local = file.read(member.header, local_bytes, "member");
  if (!local.starts_with(std::string_view("PK\x03\x04", 4))) {
    file.fail(fmt::format("the member {} is not where the directory says", quote(member.name)));
  }
  const std::uint64_t begin = member.header + local_bytes + number(local, 26, 2) + number(local, 28, 2);
  if (begin > directory_ || member.packed > directory_ - begin) {
    file.fail(fmt::format("the member {} is cut off", quote(member.name)));
  }
  std::string name = fmt::format("{} in {}", quote(member.name), path_.string());
  auto buffer = std::make_unique<MemberBuffer>(path_, begin, member, name);
  return {std::make_unique<MemberStream>(std::move(buffer)), member.size, std::move(name)};
}

}  // namespace overtake::data
