// SPDX-License-Identifier: MIT
#include "core/c_text.hpp"

#include <algorithm>
#include <charconv>

namespace overtake::c_text {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

/// Walks over a source, one piece at a time.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  std::vector<Token> read() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '\n') starts_line_ = true;
      if (is_space(c)) {
        move_to(at_ + 1);
      } else if (!skip_comment()) {
        read_token(c);
        starts_line_ = false;
      }
    }
    return std::move(tokens_);
  }

 private:
  bool skip_comment() {
    const std::string_view two = source_.substr(at_, 2);
    if (two != "//" && two != "/*") return false;
    const std::size_t end = source_.find(two == "//" ? "\n" : "*/", at_ + 2);
    move_to(end == std::string_view::npos ? source_.size() : end + (two == "//" ? 0 : 2));
    return true;
  }

  void read_token(char c) {
    std::size_t end = at_ + 1;
    Token token;
    if (c == '#' && starts_line_) {
      end = end_of_directive();
      token.kind = Token::Kind::directive;
    } else if (is_digit(c) || (c == '.' && end < source_.size() && is_digit(source_[end]))) {
      end = end_of_number();
      token.kind = Token::Kind::number;
    } else if (is_word(c)) {
      while (end < source_.size() && is_word(source_[end])) ++end;
      token.kind = Token::Kind::name;
    } else if (c == '"' || c == '\'') {
      while (end < source_.size() && source_[end] != c && source_[end] != '\n') end += source_[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, source_.size());
      token.kind = Token::Kind::literal;
    } else if (source_.substr(at_, 2) == "->") {
      ++end;
    }
    token.text = source_.substr(at_, end - at_);
    token.line = line_;
    move_to(end);
    if (token.kind == Token::Kind::directive) note(token);
    if (token.kind == Token::Kind::sign && c == '}') --depth_;
    token.depth = depth_;
    if (token.kind == Token::Kind::sign && c == '{') ++depth_;
    tokens_.push_back(token);
  }

  [[nodiscard]] std::size_t end_of_directive() const {
    std::size_t end = at_;
    for (;;) {
      end = source_.find('\n', end);
      if (end == std::string_view::npos) return source_.size();
      const bool goes_on = source_[end - 1] == '\\' || (source_[end - 1] == '\r' && source_[end - 2] == '\\');
      if (!goes_on) return end;
      ++end;
    }
  }

  [[nodiscard]] std::size_t end_of_number() const {
    std::size_t end = at_ + 1;
    for (; end < source_.size(); ++end) {
      const char c = source_[end], before = source_[end - 1];
      const bool is_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E' || before == 'p' || before == 'P');
      if (!is_word(c) && c != '.' && !is_sign) break;
    }
    return end;
  }

  void move_to(std::size_t end) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at_ = end;
  }

  void note(const Token& token) {
    const std::string_view directive = directive_name(token);
    if (directive == "line") {
      const std::string_view text = directive_text(token);
      const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
      int line = 0;
      const auto [rest, trouble] = std::from_chars(text.data() + begin, text.data() + text.size(), line);
      if (trouble == std::errc()) line_ = line - 1;  // the next line is the one that is meant
      return;
    }
    if (directive.starts_with("if")) {
      branches_.push_back(depth_);
    } else if (directive.starts_with("el") && !branches_.empty()) {
      depth_ = branches_.back();
    } else if (directive == "endif" && !branches_.empty()) {
      branches_.pop_back();
    }
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool starts_line_ = true;
  int depth_ = 0;
  std::vector<int> branches_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) { return Reader(source).read(); }

std::vector<Token> code_of(std::string_view source) {
  std::vector<Token> tokens = tokens_of(source);
  std::erase_if(tokens, [](const Token& token) { return token.kind == Token::Kind::directive; });
  return tokens;
}

std::size_t closing(std::span<const Token> tokens, std::size_t open) {
  if (open >= tokens.size()) return tokens.size();
  if (tokens[open].is("{")) {
    for (std::size_t i = open + 1; i < tokens.size(); ++i) {
      if (tokens[i].is("}") && tokens[i].depth == tokens[open].depth) return i;
    }
    return tokens.size();
  }
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].is("(") || tokens[i].is("[")) ++depth;
    if ((tokens[i].is(")") || tokens[i].is("]")) && --depth == 0) return i;
  }
  return tokens.size();
}

std::string_view between(const Token& first, const Token& last) {
  return {first.text.data(), static_cast<std::size_t>(last.text.data() + last.text.size() - first.text.data())};
}

std::string_view directive_name(const Token& directive) {
  std::size_t begin = 1;
  while (begin < directive.text.size() && is_space(directive.text[begin])) ++begin;
  std::size_t end = begin;
  while (end < directive.text.size() && is_word(directive.text[end])) ++end;
  return directive.text.substr(begin, end - begin);
}

std::string_view directive_text(const Token& directive) {
  const std::string_view name = directive_name(directive);
  return directive.text.substr(static_cast<std::size_t>(name.data() + name.size() - directive.text.data()));
}

void Edits::replace(std::string_view what, std::string text) {
  const auto begin = static_cast<std::size_t>(what.data() - source_.data());
  edits_.push_back({begin, begin + what.size(), std::move(text)});
}

std::string Edits::apply() {
  std::stable_sort(edits_.begin(), edits_.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string text;
  std::size_t done = 0;
  for (const Edit& edit : edits_) {
    text += source_.substr(done, edit.begin - done);
    text += edit.text;
    done = edit.end;
  }
  text += source_.substr(done);
  return text;
}

}  // namespace overtake::c_text
