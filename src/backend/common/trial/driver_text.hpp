// SPDX-License-Identifier: MIT
// What drivers say of themselves is shown to people, and may be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace overtake::backend {

/// A text of a driver on one line of at most 256 bytes: control characters are spaces.
[[nodiscard]] std::string printable(std::string_view text);

/// A figure of a driver; 0, which is "unknown", for one that no device has.
[[nodiscard]] constexpr std::uint64_t plausible(std::uint64_t value, std::uint64_t most) noexcept {
  return value <= most ? value : 0;
}

}  // namespace overtake::backend
