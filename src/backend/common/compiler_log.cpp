// SPDX-License-Identifier: MIT
#include "backend/common/compiler_log.hpp"

#include <algorithm>
#include <charconv>

namespace overtake::backend {
namespace {

// "FILE:LINE" of a line of the text, counted from 1.
std::string asked_line(std::string_view source, int wanted) {
  std::string file = "<kernel>";
  int asked = 1;
  for (int line = 1; line < wanted && !source.empty(); ++line) {
    const std::size_t end = std::min(source.find('\n'), source.size());
    const std::string_view text = source.substr(0, end);
    source.remove_prefix(std::min(end + 1, source.size()));
    ++asked;
    constexpr std::string_view word = "#line ";
    if (!text.starts_with(word)) continue;
    int number = 0;
    const auto [rest, trouble] = std::from_chars(text.data() + word.size(), text.data() + text.size(), number);
    if (trouble != std::errc()) continue;
    asked = number;
    const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
    const std::size_t open = name.find('"'), close = name.rfind('"');
    if (close > open && close != std::string_view::npos) file = name.substr(open + 1, close - open - 1);
  }
  return file + ":" + std::to_string(asked);
}

}  // namespace

std::string with_asked_lines(std::string_view log, std::string_view source) {
  constexpr std::string_view mark = "<kernel>:";
  std::string result;
  for (;;) {
    const std::size_t at = log.find(mark);
    if (at == std::string_view::npos) return result.append(log);
    result.append(log.substr(0, at));
    log.remove_prefix(at);
    int line = 0;
    const auto [rest, trouble] = std::from_chars(log.data() + mark.size(), log.data() + log.size(), line);
    const bool is_number = trouble == std::errc();
    result.append(is_number ? asked_line(source, line) : std::string(mark));
    log.remove_prefix(is_number ? static_cast<std::size_t>(rest - log.data()) : mark.size());
  }
}

}  // namespace overtake::backend
