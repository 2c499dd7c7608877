// SPDX-License-Identifier: MIT
#pragma once

#include <array>

namespace overtake {

/// What is said where std::bad_alloc or std::length_error ends the work: texts that end in 0 and took no memory.
struct OutOfMemoryText {
  std::array<char, 160> message{};
  std::array<char, 320> hint{};
};

/// "the computer's memory is exhausted", with the limit of this process (ulimit -v, ulimit -d) and its value where
/// there is one, and what to do.
[[nodiscard]] OutOfMemoryText out_of_memory_text() noexcept;

}  // namespace overtake
