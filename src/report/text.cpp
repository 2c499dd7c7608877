// SPDX-License-Identifier: MIT
#include "overtake/text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "core/nearest.hpp"

namespace overtake::text {

namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  ///< 0: the text does not begin with a character
};

/// The first character of UTF-8 text; none for overlong forms, surrogates and what is cut off (RFC 3629).
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least.at(bytes) || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, bytes};
}

bool in_range(std::uint32_t code, std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; }

/// What terminals obey: the second set of controls, line ends, and marks that turn the direction of writing.
bool is_control(std::uint32_t code) {
  return in_range(code, 0x80, 0x9F) || in_range(code, 0x200E, 0x200F) || in_range(code, 0x2028, 0x202E) ||
         in_range(code, 0x2066, 0x2069) || code == 0x61C;
}

std::string escaped(std::string_view text, bool one_line) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [code, bytes] = first_of(text);
    const std::size_t size = bytes == 0 ? 1 : bytes;
    const bool line = code == '\n' || code == '\t';
    if (bytes == 0 || ((code < 0x20 || code == 0x7F) && !line)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (line && one_line) {
      out += code == '\n' ? "\\n" : "\\t";
    } else if (is_control(code)) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> names) {
  return overtake::nearest(word, names);
}

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_line(std::string_view text) { return escaped(text, true); }

}  // namespace overtake::text
