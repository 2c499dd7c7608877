// SPDX-License-Identifier: MIT
// What of a text libtcc would compile to something else than C says.
#pragma once

#include <string>

namespace overtake::backend::cpu {

/// The text with a plus behind each cast to a 16-bit number without a sign: `(uint16)+x`, which is the same number.
/// libtcc (0.9.27) gives `(uint16)x` of an 8-bit number with a sign that it loads from memory 32 bits with that sign; a
/// plus makes an int of it first. Types by other names are known (typedef, #define), as are those given to macros.
[[nodiscard]] std::string text_for_tcc(const std::string& text);

}  // namespace overtake::backend::cpu
