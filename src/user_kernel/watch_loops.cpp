// SPDX-License-Identifier: MIT
#include "user_kernel/watch_loops.hpp"

#include <fmt/format.h>

#include <set>
#include <span>
#include <vector>

#include "overtake/error.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::closing, c_text::code_of, c_text::Edits, c_text::Token;

using Tokens = std::span<const Token>;

class Loops {
 public:
  Loops(std::string_view kernel, int sign, Edits& edits) : kernel_(kernel), sign_(sign), edits_(edits) {}

  // Of a text, or of what a macro stands for, whose first line is `line`.
  void watch(Tokens tokens, int line, bool is_macro) {
    line_ = line;
    std::set<std::string_view> labels;  // of the function so far
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (token.is("}") && token.depth == 0) labels.clear();
      if (is_label(tokens, i)) labels.insert(token.text);
      if (token.is("for") || token.is("while")) loop(tokens, i);
      if (token.is("goto")) jump(tokens, i, labels, is_macro);
    }
  }

 private:
  // name: but in a ? name : b and case name:
  static bool is_label(Tokens tokens, std::size_t i) {
    if (tokens[i].kind != Token::Kind::name || i + 1 >= tokens.size() || !tokens[i + 1].is(":")) return false;
    return i == 0 || !(tokens[i - 1].is("?") || tokens[i - 1].is("case"));
  }

  [[nodiscard]] int line_of(const Token& token) const { return line_ + token.line - 1; }

  [[noreturn]] void refuse(const Token& token, std::string_view what) const {
    throw UsageError(fmt::format("[{}] line {}{}: a time limit cannot end {}", kernel_, line_of(token),
                                 sign_ < 0 ? " of the preamble" : "", what),
                     "Write it as for (...) or while (...); or leave the time limit out.");
  }

  [[nodiscard]] std::string look(const Token& token) const {
    return fmt::format("OVERTAKE_GOES_ON({})", sign_ * line_of(token));
  }

  void loop(Tokens tokens, std::size_t at) {
    const std::size_t end = closing(tokens, at + 1);
    if (end >= tokens.size() || !tokens[at + 1].is("(")) refuse(tokens[at], "a loop without its condition");
    std::size_t first = at + 1, last = end;  // the brackets or semicolons round the condition
    if (tokens[at].is("for")) {
      std::vector<std::size_t> semicolons;
      for (std::size_t i = at + 2; i < end; ++i) {
        if (tokens[i].is("(") || tokens[i].is("[") || tokens[i].is("{")) i = closing(tokens, i);
        if (i < end && tokens[i].is(";")) semicolons.push_back(i);
      }
      if (semicolons.size() != 2) refuse(tokens[at], "a for whose parts are in a macro");
      first = semicolons[0], last = semicolons[1];
    }
    if (first + 1 == last) return edits_.insert_behind(tokens[first], look(tokens[at]));
    edits_.insert_behind(tokens[first], "(");
    edits_.insert_before(tokens[last], ") && " + look(tokens[at]));
  }

  // One forward ends by itself, and leads past what must not run.
  void jump(Tokens tokens, std::size_t at, const std::set<std::string_view>& labels, bool is_macro) {
    const bool is_plain = at + 2 < tokens.size() && tokens[at + 1].kind == Token::Kind::name && tokens[at + 2].is(";");
    if (is_macro || !is_plain) refuse(tokens[at], is_macro ? "a loop by a goto in a macro" : "a loop by this goto");
    if (labels.count(tokens[at + 1].text) == 0) return;
    edits_.insert_before(tokens[at], fmt::format("{{ if ({}) ", look(tokens[at])));
    edits_.insert_behind(tokens[at + 2], " }");
  }

  std::string_view kernel_;
  int sign_;
  int line_ = 1;
  Edits& edits_;
};

}  // namespace

void watch_loops(std::string_view kernel, std::string_view text, int sign, Edits& edits) {
  Loops loops(kernel, sign, edits);
  for (const Token& token : c_text::tokens_of(text)) {
    if (token.kind != Token::Kind::directive || c_text::directive_name(token) != "define") continue;
    loops.watch(c_text::tokens_of(c_text::directive_text(token)), token.line, true);
  }
  loops.watch(code_of(text), 1, false);
}

}  // namespace overtake::user_kernel
