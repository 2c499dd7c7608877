// SPDX-License-Identifier: MIT
#include "backend/common/trial/driver_text.hpp"

#include <algorithm>

namespace overtake::backend {

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 256;
  std::string line(text.substr(0, longest));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  return line;
}

}  // namespace overtake::backend
