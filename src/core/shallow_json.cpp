// SPDX-License-Identifier: MIT
#include "core/shallow_json.hpp"

#include <cstddef>

namespace overtake {

// Exact for valid JSON. Invalid text is read as a parser reads it up to its first error, where the parser stops.
std::string_view shallow_json(std::string_view text) noexcept {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest_json) return {};
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return text;
}

}  // namespace overtake
