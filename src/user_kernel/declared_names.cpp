// SPDX-License-Identifier: MIT
#include "user_kernel/declared_names.hpp"

#include <algorithm>
#include <array>

#include "user_kernel/body_rules.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::closing, c_text::Token;

using Tokens = std::span<const Token>;

bool is_name(const Token& token) { return token.kind == Token::Kind::name; }

// Words that no declaration with a type begins with.
bool is_statement(const Token& token) {
  constexpr std::array<std::string_view, 14> words{"return", "goto",   "case", "default", "if",      "for",   "while",
                                                   "switch", "sizeof", "else", "do",      "typedef", "break", "LOCAL"};
  return std::find(words.begin(), words.end(), token.text) != words.end();
}

bool is_qualifier(const Token& token) {
  return token.is("const") || token.is("volatile") || token.is("RESTRICT") || token.is("restrict");
}

// The comma, semicolon or other bracket behind a declarator.
std::size_t end_of_declarator(Tokens tokens, std::size_t at) {
  while (at < tokens.size() && !tokens[at].is(",") && !tokens[at].is(";") && !tokens[at].is("}")) {
    const bool is_open = tokens[at].is("(") || tokens[at].is("[") || tokens[at].is("{");
    at = is_open ? closing(tokens, at) + 1 : at + 1;
  }
  return at;
}

// The names of the declaration that begins at `at`; none where it is another statement.
std::vector<std::string_view> names_at(Tokens tokens, std::size_t at) {
  std::vector<std::string_view> names;
  std::size_t behind = at;  // the words of the type, and the first name where no star is before it
  while (behind < tokens.size() && is_name(tokens[behind]) && !is_statement(tokens[behind])) ++behind;
  if (behind == at || behind >= tokens.size()) return {};
  const bool is_pointer = tokens[behind].is("*");
  if (!is_pointer && behind - at < 2) return {};
  std::size_t name = is_pointer ? behind : behind - 1;
  for (;;) {
    while (name < tokens.size() && (tokens[name].is("*") || is_qualifier(tokens[name]))) ++name;
    if (name + 1 >= tokens.size() || !is_name(tokens[name])) return {};
    const Token& next = tokens[name + 1];
    if (!next.is("[") && !next.is("=") && !next.is(",") && !next.is(";")) return {};
    names.push_back(tokens[name].text);
    name = end_of_declarator(tokens, name + 1);
    if (name >= tokens.size() || tokens[name].is("}")) return {};  // values in braces
    if (tokens[name].is(";")) return names;
    ++name;
  }
}

const char* end_of(const Token& token) { return token.text.data() + token.text.size(); }

// Of the block that the token at `at` is in.
const char* end_of_block(Tokens tokens, std::size_t at) {
  for (std::size_t i = at; i < tokens.size(); ++i) {
    if (tokens[i].is("}") && tokens[i].depth < tokens[at].depth) return tokens[i].text.data();
  }
  return end_of(tokens.back());
}

}  // namespace

std::vector<DeclaredName> declared_names(std::span<const Token> tokens, int least_depth) {
  std::vector<DeclaredName> result;
  const auto add = [&](std::size_t at, const char* end) {
    for (const std::string_view name : names_at(tokens, at)) result.push_back({name, end});
  };
  std::size_t head_end = 0;  // of a loop's head, whose parts are no statements
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].is("for") && i + 2 < tokens.size() && tokens[i + 1].is("(")) {
      head_end = closing(tokens, i + 1);
      add(i + 2, end_of(tokens[std::min(statement_end(tokens, i), tokens.size()) - 1]));
    }
    const bool begins = i == 0 || tokens[i - 1].is(";") || tokens[i - 1].is("{") || tokens[i - 1].is("}");
    if (begins && tokens[i].depth >= least_depth && (head_end == 0 || i > head_end)) add(i, end_of_block(tokens, i));
  }
  return result;
}

}  // namespace overtake::user_kernel
