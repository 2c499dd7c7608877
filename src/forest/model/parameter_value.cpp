// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/nearest.hpp"
#include "overtake/parameters.hpp"
#include "overtake/text.hpp"

namespace overtake {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return detail::ascii_lower(x) == detail::ascii_lower(y); });
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string number_text(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";  // 'n': nan and inf stay as they are
  return text;
}

}  // namespace

ParameterValue parse_parameter_value(std::string_view text) {
  if (same_word(text, "none")) return std::monostate{};
  if (same_word(text, "true")) return true;
  if (same_word(text, "false")) return false;
  const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  if (const auto whole = whole_number(digits)) return *whole;
  const auto number = text::number(digits);
  if (number && std::isfinite(*number)) return *number;
  return std::string(text);
}

std::string to_text(const ParameterValue& value) {
  struct Writer {
    std::string operator()(std::monostate) const { return "none"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return number_text(number); }
    std::string operator()(const std::string& word) const { return word; }
  };
  return std::visit(Writer{}, value);
}

}  // namespace overtake
