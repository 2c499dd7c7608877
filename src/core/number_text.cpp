// SPDX-License-Identifier: MIT
#include "overtake/text.hpp"
#include "platform/decimal.hpp"

namespace overtake::text {

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = platform::decimal_from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace overtake::text
