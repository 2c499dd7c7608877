// SPDX-License-Identifier: MIT
#include "data/table/message.hpp"

#include <fmt/format.h>

#include <system_error>

namespace overtake::data {

std::string quote(std::string_view text) {
  constexpr std::size_t longest = 40;
  const bool shortened = text.size() > longest;
  if (shortened) {
    text = text.substr(0, longest);
    // Do not cut a UTF-8 sequence in two.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0U) text.remove_suffix(1);
  }
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  result += shortened ? "...\"" : "\"";
  return result;
}

std::string os_error(int number) { return std::generic_category().message(number); }

}  // namespace overtake::data
