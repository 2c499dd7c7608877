// SPDX-License-Identifier: MIT
#include "user_kernel/tokens.hpp"

#include <algorithm>
#include <charconv>

namespace overtake::user_kernel {
namespace {

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  std::vector<Token> cut() {
    while (at_ < text_.size()) {
      if (!skip()) take();
    }
    return std::move(tokens_);
  }

 private:
  // What is no token: true if there was some.
  bool skip() {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
      at_line_start_ = true;
      return true;
    }
    if (is_blank(c) || c == '\\') {
      ++at_;
      return true;
    }
    if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (text_.substr(at_, 2) == "/*") {
      pass(text_.find("*/", at_ + 2), 2);
      return true;
    }
    if (c == '#' && at_line_start_) {
      directive();
      return true;
    }
    return false;
  }

  // Moves behind `end`, counting lines.
  void pass(std::size_t end, std::size_t length) {
    const std::size_t stop = end == std::string_view::npos ? text_.size() : end + length;
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(stop), '\n'));
    at_ = stop;
  }

  // #line changes the count; other directives go on in the lines behind a backslash.
  void directive() {
    std::size_t end = at_;
    do {
      end = std::min(text_.find('\n', end + 1), text_.size());
    } while (end < text_.size() && text_[end - 1] == '\\');
    const std::string_view words = text_.substr(at_, end - at_);
    constexpr std::string_view line_word = "#line ";
    int line = 0;
    const bool counts =
        words.starts_with(line_word) &&
        std::from_chars(words.data() + line_word.size(), words.data() + words.size(), line).ec == std::errc();
    pass(end, 0);
    if (counts) line_ = line - 1;  // of the line that begins behind this one
  }

  void take() {
    const std::size_t begin = at_;
    const char c = text_[at_];
    at_line_start_ = false;
    TokenKind kind = TokenKind::symbol;
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
      kind = TokenKind::number;
      number();
    } else if (is_name_part(c)) {
      kind = TokenKind::name;
      while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
    } else if (c == '"' || c == '\'') {
      kind = TokenKind::text;
      quoted(c);
    } else {
      ++at_;
    }
    tokens_.push_back({kind, text_.substr(begin, at_ - begin), line_});
  }

  void number() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const char before = at_ > 0 ? text_[at_ - 1] : ' ';
      const bool is_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E' || before == 'p' || before == 'P');
      if (!is_name_part(c) && c != '.' && !is_sign) return;
      ++at_;
    }
  }

  void quoted(char quote) {
    ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text) { return Cutter(text).cut(); }

std::size_t closing(std::span<const Token> tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.kind != TokenKind::symbol) continue;
    if (token.is("(") || token.is("[") || token.is("{")) ++depth;
    if (token.is(")") || token.is("]") || token.is("}")) --depth;
    if (depth == 0) return i;
  }
  return tokens.size();
}

std::string_view between(const Token& first, const Token& last) {
  return {first.text.data(), static_cast<std::size_t>(last.text.data() + last.text.size() - first.text.data())};
}

}  // namespace overtake::user_kernel
