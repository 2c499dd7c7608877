// SPDX-License-Identifier: MIT
#include "overtake/text.hpp"

#include "core/nearest.hpp"

namespace overtake::text {

std::string nearest(std::string_view word, std::span<const std::string> names) {
  return overtake::nearest(word, names);
}

}  // namespace overtake::text
