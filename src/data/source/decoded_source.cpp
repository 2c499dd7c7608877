// SPDX-License-Identifier: MIT
// Sources: Unicode 15, chapter 3.10 (UTF-16); https://encoding.spec.whatwg.org/index-windows-1252.txt, of which the
// five bytes that Windows leaves undefined are errors here.
#include "data/source/decoded_source.hpp"

#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>
#include <vector>

#include "core/nearest.hpp"
#include "data/source/file_kind.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

struct EncodingName {
  std::string_view name;
  std::string_view plain;  // without hyphens
  Encoding encoding;
};
constexpr std::array names = {
    EncodingName{"utf-8", "utf8", Encoding::utf8},
    EncodingName{"utf-16", "utf16", Encoding::utf16},
    EncodingName{"utf-16le", "utf16le", Encoding::utf16le},
    EncodingName{"utf-16be", "utf16be", Encoding::utf16be},
    EncodingName{"latin-1", "latin1", Encoding::latin1},
    EncodingName{"iso-8859-1", "iso88591", Encoding::latin1},
    EncodingName{"windows-1252", "windows1252", Encoding::windows1252},
    EncodingName{"cp1252", "cp1252", Encoding::windows1252},
};

std::string_view name_of(Encoding encoding) {
  return std::find_if(names.begin(), names.end(), [&](const EncodingName& e) { return e.encoding == encoding; })->name;
}

bool is_wide(Encoding encoding) {
  return encoding == Encoding::utf16 || encoding == Encoding::utf16le || encoding == Encoding::utf16be;
}

/// Bytes 0x80 to 0x9F of windows-1252; 0: undefined. All others are those of Latin-1.
constexpr std::array<char16_t, 32> windows_1252 = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                   0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// The byte order of UTF-16 text: its mark, else the side on which ASCII has its zero bytes.
Encoding byte_order(std::string_view head) {
  if (head.starts_with("\xFE\xFF")) return Encoding::utf16be;
  if (head.starts_with("\xFF\xFE")) return Encoding::utf16le;
  std::array<std::size_t, 2> zeros{};
  for (std::size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0' ? 1U : 0U;
  return zeros[0] > zeros[1] ? Encoding::utf16be : Encoding::utf16le;
}

}  // namespace

Encoding parse_encoding(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::vector<std::string> known;
  for (const EncodingName& entry : names) {
    if (entry.plain == plain) return entry.encoding;
    known.emplace_back(entry.name);
  }
  const std::string near = nearest(std::string(name), known);
  throw UsageError(fmt::format("the encoding {} is not known", quote(name)),
                   near.empty()
                       ? "Use utf-8, utf-16, utf-16le, utf-16be, latin-1 or windows-1252; iconv converts others."
                       : fmt::format("Did you mean {}?", near));
}

DecodedSource::DecodedSource(const std::filesystem::path& path, Encoding encoding)
    : source_(path), encoding_(encoding) {
  check_head();
}

void DecodedSource::check_head() {
  const std::string_view head = source_.peek(kind_bytes);
  const std::optional<FileKind> kind = recognise(head);
  const bool wide = is_wide(encoding_);
  if (kind && !(wide && kind->what == utf16_text.what)) {
    throw DataError(fmt::format("{} is {}, expected a table as text (CSV)", name(), kind->what),
                    cure_for(*kind, name()));
  }
  const bool utf8 = head.starts_with("\xEF\xBB\xBF") ||
                    (wide && !head.empty() && head.find('\0') == std::string_view::npos && utf8::is_valid(head));
  if (utf8 && encoding_ != Encoding::utf8) {
    throw DataError(fmt::format("{} is UTF-8 text, expected {}", name(), name_of(encoding_)),
                    "Leave --encoding out: UTF-8 is the default.");
  }
  if (encoding_ == Encoding::utf16) encoding_ = byte_order(head);
}

std::size_t DecodedSource::read(std::span<char> target) {
  if (encoding_ == Encoding::utf8) return source_.read(target);
  std::size_t total = 0;
  while (total < target.size()) {
    if (text_next_ == text_.size()) {
      if (finished_) break;
      decode_some();
    }
    const std::size_t count = std::min(target.size() - total, text_.size() - text_next_);
    std::copy_n(text_.data() + text_next_, count, target.data() + total);
    text_next_ += count;
    total += count;
  }
  return total;
}

void DecodedSource::decode_some() {
  text_.clear();
  text_next_ = 0;
  const std::size_t left = raw_.size();
  raw_.resize(left + chunk_bytes);
  const std::size_t got = source_.read(std::span(raw_).subspan(left));
  raw_.resize(left + got);
  finished_ = got < chunk_bytes;
  if (is_wide(encoding_)) {
    decode_units(finished_);
  } else {
    decode_bytes();
  }
}

void DecodedSource::fail_at(std::size_t index, std::string_view what) {
  finished_ = true;
  problem_ = fmt::format("byte {} of the text, 0x{:02X}, {} {}", taken_ + index + 1,
                         static_cast<unsigned char>(raw_[index]), what, name_of(encoding_));
}

void DecodedSource::decode_bytes() {
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    char32_t point = static_cast<unsigned char>(raw_[i]);
    if (encoding_ == Encoding::windows1252 && point >= 0x80 && point < 0xA0) {
      point = windows_1252[point - 0x80];
      if (point == 0) return fail_at(i, "is not valid");
    }
    utf8::append(point, std::back_inserter(text_));
  }
  taken_ += raw_.size();
  raw_.clear();
}

void DecodedSource::decode_units(bool last) {
  const std::size_t high = encoding_ == Encoding::utf16be ? 0 : 1;
  const auto unit = [&](std::size_t at) {
    return static_cast<char32_t>(static_cast<unsigned char>(raw_[at + high]) << 8U |
                                 static_cast<unsigned char>(raw_[at + 1 - high]));
  };
  std::size_t i = 0;
  for (; i + 2 <= raw_.size(); i += 2) {
    char32_t point = unit(i);
    if (point >= 0xDC00 && point < 0xE000) return fail_at(i, "begins half a character, which is not valid");
    if (point >= 0xD800 && point < 0xDC00) {
      if (i + 4 > raw_.size()) break;
      const char32_t low = unit(i + 2);
      if (low < 0xDC00 || low >= 0xE000) return fail_at(i, "begins half a character, which is not valid");
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
      i += 2;
    }
    utf8::append(point, std::back_inserter(text_));
  }
  if (last && i < raw_.size()) return fail_at(i, "begins a character that is cut off, which is not valid");
  taken_ += i;
  raw_.erase(0, i);
}

}  // namespace overtake::data
