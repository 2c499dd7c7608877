// SPDX-License-Identifier: MIT
// C text cut into tokens: as much of C as is needed to find names, brackets and lines.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::user_kernel {

enum class TokenKind : std::uint8_t { name, number, text, symbol, other };

struct Token {
  TokenKind kind = TokenKind::other;
  std::string_view text;  ///< into the text that was cut
  int line = 1;           ///< as #line counts

  [[nodiscard]] bool is(std::string_view other) const noexcept { return text == other; }
};

/// The tokens of a text that outlives them; comments, white space and directives are left out. Symbols of several
/// characters are cut into single ones.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text);

/// The place of the bracket that closes the one at `open`, or tokens.size().
[[nodiscard]] std::size_t closing(std::span<const Token> tokens, std::size_t open);

/// The part of the text from the beginning of one token to the end of another.
[[nodiscard]] std::string_view between(const Token& first, const Token& last);

}  // namespace overtake::user_kernel
