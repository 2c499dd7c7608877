// SPDX-License-Identifier: MIT
#include "data/source/line_source.hpp"

#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <cstring>

#include "data/source/file_kind.hpp"
#include "data/text/text_kind.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 18;

/// True if every byte is ASCII and none is zero: the usual case, checked eight bytes at a time.
bool is_plain_ascii(std::string_view text) {
  constexpr std::uint64_t high = 0x8080808080808080U;
  constexpr std::uint64_t low = 0x0101010101010101U;
  std::size_t i = 0;
  std::uint64_t suspicious = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    suspicious |= (word | (word - low)) & high;  // a high bit, or a borrow out of a zero byte
  }
  for (; i < text.size(); ++i) suspicious |= text[i] == '\0' || (text[i] & '\x80') != 0 ? 1U : 0U;
  return suspicious == 0;
}

}  // namespace

LineSource::LineSource(const std::filesystem::path& path, std::size_t longest_line, std::string_view encoding)
    : source_(path, parse_encoding(encoding)), longest_line_(longest_line) {}

std::size_t LineSource::find_line_end() const noexcept {
  std::size_t i = scan_;
  while (i < end_ && buffer_[i] != '\n' && buffer_[i] != '\r') ++i;
  return i;
}

bool LineSource::refill() {
  if (finished_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    scan_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + chunk_bytes) buffer_.resize(std::max(end_ + chunk_bytes, buffer_.size() * 2));
  const std::size_t count = source_.read(std::span(buffer_).subspan(end_, chunk_bytes));
  end_ += count;
  text_bytes_ += count;
  finished_ = count < chunk_bytes;
  return count > 0;
}

std::uint64_t LineSource::file_bytes() const noexcept {
  if (text_bytes_ == 0) return 0;
  const double given_out = 1 - static_cast<double>(end_ - begin_) / static_cast<double>(text_bytes_);
  return static_cast<std::uint64_t>(given_out * static_cast<double>(source_.file_bytes()));
}

void LineSource::drop_byte_order_mark() {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  const std::string_view start(buffer_.data(), end_);
  if (!start.starts_with(mark)) return;
  if (start.substr(mark.size()).starts_with(mark)) {
    throw DataError(
        fmt::format("{}, line 1, byte {}: a second byte order mark, expected one at most", name(), mark.size() + 1),
        cure_for({"", "Remove one: tail -c +4 FILE > FILE.plain"}, name()));
  }
  begin_ = scan_ = mark.size();
}

void LineSource::check_kind() const {
  const std::string_view head = std::string_view(buffer_.data(), end_).substr(begin_, kind_bytes);
  const bool whole = finished_ && head.size() == end_ - begin_;
  std::optional<FileKind> kind = structured_text(head);  // seen by the source already, unless it had to be decoded
  if (!kind) kind = odd_table(head, whole);
  if (!kind) return;
  throw DataError(fmt::format("{} is {}, expected a plain table (CSV)", name(), kind->what), cure_for(*kind, name()));
}

void LineSource::begin() {
  refill();
  drop_byte_order_mark();
  constexpr std::size_t longest_declaration = 10;  // "sep=;" in quotes, with its line end
  const std::size_t stop = find_line_end();
  if (stop - begin_ < longest_declaration) {
    declared_delimiter_ = data::declared_delimiter(std::string_view(buffer_.data() + begin_, stop - begin_));
  }
  if (declared_delimiter_) {
    const bool pair = stop + 1 < end_ && buffer_[stop] == '\r' && buffer_[stop + 1] == '\n';
    begin_ = scan_ = std::min(end_, stop + (pair ? 2 : 1));
    ++line_;
  }
  check_kind();
}

void LineSource::check_text(std::string_view text) const {
  if (is_plain_ascii(text)) return;
  const auto bad = utf8::find_invalid(text.begin(), text.end());
  if (bad != text.end()) {
    throw DataError(
        fmt::format("{}, line {}, byte {}: byte 0x{:02X} is not valid UTF-8, expected UTF-8 text", name(), line_,
                    bad - text.begin() + 1, static_cast<unsigned char>(*bad)),
        "If it is text of Western Europe: --encoding windows-1252 or --encoding latin-1. Else convert it to "
        "UTF-8 with iconv.");
  }
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) {
    throw DataError(fmt::format("{}, line {}, byte {}: a zero byte, expected text", name(), line_, zero + 1),
                    "If the rest is text, remove the zero bytes: tr -d '\\000'. Else this is a binary file.");
  }
}

std::string_view LineSource::take(std::size_t stop) {
  const std::string_view text(buffer_.data() + begin_, stop - begin_);
  begin_ = scan_ = stop;
  check_text(text);
  return text;
}

std::optional<std::string_view> LineSource::next() {
  if (line_ == 0) begin();
  ++line_;
  while (true) {
    const std::size_t stop = find_line_end();
    if (stop - begin_ > longest_line_) {
      throw DataError(fmt::format("{}, line {}, byte {}: the line is longer than {} bytes, expected a line end before",
                                  name(), line_, longest_line_ + 1, longest_line_),
                      "Check that this is a table of one record a line.");
    }
    scan_ = stop;
    // Whether a CR at the end of the buffer is followed by LF is known only after the next read.
    const bool complete = stop < end_ && (buffer_[stop] == '\n' || stop + 1 < end_);
    if (complete) {
      const bool pair = buffer_[stop] == '\r' && buffer_[stop + 1] == '\n';
      return take(stop + (pair ? 2 : 1));
    }
    if (!refill()) break;
  }
  if (source_.problem()) {
    throw DataError(fmt::format("{}, line {}: {}", name(), line_, *source_.problem()),
                    "Give --encoding the one that the file has, or convert it to UTF-8 with iconv.");
  }
  if (begin_ == end_) return std::nullopt;
  return take(end_);
}

}  // namespace overtake::data
