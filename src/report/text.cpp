// SPDX-License-Identifier: MIT
#include "overtake/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utf8.h>

#include <algorithm>
#include <cstdint>

#include "core/nearest.hpp"
#include "overtake/error.hpp"

namespace overtake::text {

namespace {

bool in_range(std::uint32_t code, std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; }

/// What terminals obey: the second set of controls, line ends, and marks that turn the direction of writing.
bool is_control(std::uint32_t code) {
  return in_range(code, 0x80, 0x9F) || in_range(code, 0x200E, 0x200F) || in_range(code, 0x2028, 0x202E) ||
         in_range(code, 0x2066, 0x2069) || code == 0x61C;
}

void append_escaped(std::string_view character, std::uint32_t code, bool one_line, std::string& out) {
  const bool line = code == '\n' || code == '\t';
  if ((code < 0x20 || code == 0x7F) && !line) {
    out += fmt::format("\\x{:02x}", code);
  } else if (line && one_line) {
    out += code == '\n' ? "\\n" : "\\t";
  } else if (is_control(code)) {
    out += fmt::format("\\u{:04x}", code);
  } else {
    out += character;
  }
}

std::string escaped(std::string_view text, bool one_line) {
  std::string out;
  out.reserve(text.size());
  auto at = text.begin();
  while (at != text.end()) {
    for (const auto valid_end = utf8::find_invalid(at, text.end()); at != valid_end;) {
      const auto begin = at;
      const auto code = static_cast<std::uint32_t>(utf8::unchecked::next(at));
      append_escaped({begin, at}, code, one_line, out);
    }
    if (at == text.end()) break;
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(*at++));
  }
  return out;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> names) {
  return overtake::nearest(word, names);
}

void check_choice(std::string_view what, std::string_view value, std::span<const std::string> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  const std::string near = nearest(value, choices);
  throw UsageError(fmt::format("{} \"{}\" is none of {}", what, value, fmt::join(choices, ", ")),
                   near.empty() ? "" : fmt::format("Did you mean \"{}\"?", near));
}

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_line(std::string_view text) { return escaped(text, true); }

}  // namespace overtake::text
