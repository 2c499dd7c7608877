// SPDX-License-Identifier: MIT
// C text cut into tokens, and changed: as much of C as is needed to take kernels apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::c_text {

struct Token {
  enum class Kind : std::uint8_t {
    name,       ///< or a keyword
    number,     ///< with its point, exponent and suffix
    sign,       ///< one character; "->" is two
    literal,    ///< a string or a character, with its quotes
    directive,  ///< a line of the preprocessor from its '#' on, with the lines that it goes on in
  };
  Kind kind = Kind::sign;
  std::string_view text;  ///< a part of the source
  int line = 1;           ///< as #line counts
  int depth = 0;          ///< braces that are open: a '{' and its '}' have that of what is around them

  [[nodiscard]] bool is(std::string_view other) const noexcept { return text == other; }
};

/// The tokens of a source, comments left out. Of the branches of an #if each counts its braces from the same depth on.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view source);

/// The same without directives.
[[nodiscard]] std::vector<Token> code_of(std::string_view source);

/// The place of the bracket that closes the one at `open`; tokens.size() where there is none.
[[nodiscard]] std::size_t closing(std::span<const Token> tokens, std::size_t open);

/// The part of the source from the beginning of one token to the end of another.
[[nodiscard]] std::string_view between(const Token& first, const Token& last);

/// The first word of a directive: "define".
[[nodiscard]] std::string_view directive_name(const Token& directive);
/// The rest of it.
[[nodiscard]] std::string_view directive_text(const Token& directive);

/// Changes of a source, made in one go. Those at one place come in the order in which they were asked for.
class Edits {
 public:
  explicit Edits(std::string_view source) : source_(source) {}
  /// Puts `text` where `what`, a part of the source, is.
  void replace(std::string_view what, std::string text);
  void insert_before(const Token& token, std::string text) { replace(token.text.substr(0, 0), std::move(text)); }
  void insert_behind(const Token& token, std::string text) {
    replace(token.text.substr(token.text.size()), std::move(text));
  }
  /// The changed source.
  [[nodiscard]] std::string apply();

 private:
  struct Edit {
    std::size_t begin, end;
    std::string text;
  };
  std::string_view source_;
  std::vector<Edit> edits_;
};

}  // namespace overtake::c_text
