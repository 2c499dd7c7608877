// SPDX-License-Identifier: MIT
// The words and signs of C text, as far as kernels need to be taken apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace overtake::backend::cpu {

struct Token {
  enum class Kind : std::uint8_t {
    word,       ///< a name, a keyword or a number
    sign,       ///< one character; "->" is two
    literal,    ///< a string or a character, with its quotes
    directive,  ///< a line of the preprocessor from its '#' on, with the lines that it goes on in
  };
  Kind kind = Kind::sign;
  std::string_view text;  ///< a part of the source
  int depth = 0;          ///< braces that are open: a '{' and its '}' have that of what is around them

  [[nodiscard]] bool is(std::string_view other) const noexcept { return text == other; }
};

/// The tokens of a source, comments left out. Of the branches of an #if each counts its braces from the same depth on.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view source);

/// The place of the bracket that closes the one at `open`; tokens.size() where there is none.
[[nodiscard]] std::size_t closing(const std::vector<Token>& tokens, std::size_t open);

/// The first word of a directive: "define".
[[nodiscard]] std::string_view directive_name(const Token& directive);
/// The rest of it.
[[nodiscard]] std::string_view directive_text(const Token& directive);

}  // namespace overtake::backend::cpu
