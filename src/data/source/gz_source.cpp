// SPDX-License-Identifier: MIT
#include "data/source/gz_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <new>
#include <system_error>
#include <vector>

#include "core/nearest.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

namespace fs = std::filesystem;

/// "Did you mean iris.csv?" from the other files of the folder, or general advice.
std::string missing_file_hint(const fs::path& path) {
  if (path == "-") return "Name standard input /dev/stdin.";
  constexpr std::size_t most = 2000;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && names.size() < most; it.increment(error)) {
    const fs::path name = it->path().filename();
    if (name != path.filename()) names.push_back(name.string());  // a link to nothing is there
  }
  std::sort(names.begin(), names.end());
  const std::string near = nearest(path.filename().string(), names);
  if (near.empty()) return "Check the name and the folder.";
  return fmt::format("Did you mean {}?", path.has_parent_path() ? (folder / near).string() : near);
}

}  // namespace

void require_readable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw DataError(fmt::format("cannot read {}: there is no such file", path.string()), missing_file_hint(path));
  }
  if (error) {
    throw DataError(fmt::format("cannot read {}: {}", path.string(), error.message()), "Check its permissions.");
  }
  if (fs::is_directory(status)) {
    throw DataError(fmt::format("cannot read {}: it is a folder", path.string()), "Name a file in it.");
  }
}

namespace {

constexpr std::size_t raw_bytes = std::size_t{1} << 17;
constexpr std::string_view gzip_magic("\x1F\x8B", 2);

}  // namespace

/// zlib's state for one member after the other.
struct GzSource::Inflater {
  Inflater() {
    constexpr int gzip_only = 16 + MAX_WBITS;  // header and checksum are zlib's business
    if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
};

GzSource::GzSource(const fs::path& path) : name_(path.string()) {
  require_readable(path);
  std::error_code error;
  file_ = platform::open_to_read(path, error);
  if (error) throw DataError(fmt::format("cannot read {}: {}", name_, error.message()), "Check its permissions.");
}

GzSource::~GzSource() = default;

void GzSource::fail_damaged(std::string_view problem) const {
  throw DataError(fmt::format("cannot read {}: its gzip data is damaged or cut off ({}) near byte {} of the file",
                              name_, problem, taken_ + 1),
                  "Copy or download the file again.");
}

std::size_t GzSource::need(std::size_t count) {
  if (raw_.empty()) raw_.resize(raw_bytes);
  if (end_ - next_ < count && next_ > 0) {
    std::copy(raw_.begin() + static_cast<std::ptrdiff_t>(next_), raw_.begin() + static_cast<std::ptrdiff_t>(end_),
              raw_.begin());
    end_ -= next_;
    next_ = 0;
  }
  while (end_ - next_ < count) {
    std::error_code error;
    const std::size_t got = file_.read(std::span(raw_).subspan(end_), error);
    if (error) {
      throw DataError(fmt::format("cannot read {}: {}", name_, error.message()), "Check the disk and its permissions.");
    }
    if (got == 0) break;
    end_ += got;
  }
  return end_ - next_;
}

std::size_t GzSource::read_raw(std::span<char> target) {
  std::size_t total = 0;
  while (total < target.size() && need(1) > 0) {
    const std::size_t count = std::min(target.size() - total, end_ - next_);
    std::copy_n(raw_.data() + next_, count, target.data() + total);
    next_ += count;
    taken_ += count;
    total += count;
  }
  return total;
}

// gzip(1) fills blocks of a tape with zeros; everything else behind a member must be another.
void GzSource::skip_padding() {
  while (need(1) > 0) {
    if (raw_[next_] != '\0') fail_damaged("bytes that are no gzip data follow it");
    ++next_;
    ++taken_;
  }
}

/// False at the end of the file.
bool GzSource::begin_member() {
  const std::size_t count = need(gzip_magic.size());
  if (count == 0) return false;
  if (std::string_view(raw_.data() + next_, std::min(count, gzip_magic.size())) != gzip_magic) {
    skip_padding();
    return false;
  }
  inflateReset(&member_->stream);
  inside_member_ = true;
  return true;
}

/// Expands what lies ready, at least one raw byte of it; may give nothing yet.
std::size_t GzSource::inflate_some(std::span<char> target) {
  if (need(1) == 0) fail_damaged("it ends within a part");
  constexpr std::size_t most = std::size_t{1} << 30;
  z_stream& stream = member_->stream;
  const auto room = static_cast<uInt>(std::min(target.size(), most));
  const auto ready = static_cast<uInt>(end_ - next_);
  stream.next_in = reinterpret_cast<Bytef*>(raw_.data() + next_);
  stream.avail_in = ready;
  stream.next_out = reinterpret_cast<Bytef*>(target.data());
  stream.avail_out = room;
  const int code = inflate(&stream, Z_NO_FLUSH);
  next_ += ready - stream.avail_in;
  taken_ += ready - stream.avail_in;
  if (code == Z_MEM_ERROR) throw std::bad_alloc();
  if (code == Z_STREAM_END) inside_member_ = false;
  // Z_BUF_ERROR says only that this call got no further; the next one has more bytes or more room.
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
    fail_damaged(stream.msg != nullptr ? stream.msg : "it needs a dictionary");
  }
  return room - stream.avail_out;
}

std::size_t GzSource::read_expanded(std::span<char> target) {
  if (!started_) {
    started_ = true;
    const std::size_t count = need(gzip_magic.size());
    if (std::string_view(raw_.data() + next_, std::min(count, gzip_magic.size())) == gzip_magic) {
      member_ = std::make_unique<Inflater>();
    }
  }
  if (!member_) return read_raw(target);
  std::size_t total = 0;
  while (total < target.size() && !at_end_) {
    if (!inside_member_ && !begin_member()) {
      at_end_ = true;
      break;
    }
    total += inflate_some(target.subspan(total));
  }
  return total;
}

std::size_t GzSource::read(std::span<char> target) {
  const std::size_t ready = std::min(target.size(), ahead_.size() - ahead_next_);
  std::copy_n(ahead_.data() + ahead_next_, ready, target.data());
  ahead_next_ += ready;
  return ready + read_expanded(target.subspan(ready));
}

std::string_view GzSource::peek(std::size_t count) {
  const std::size_t have = ahead_.size();
  if (have < count) {
    ahead_.resize(count);
    ahead_.resize(have + read_expanded(std::span(ahead_).subspan(have)));
  }
  return {ahead_.data(), std::min(count, ahead_.size())};
}

}  // namespace overtake::data
