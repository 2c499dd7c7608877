// SPDX-License-Identifier: MIT
#include "user_kernel/body_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/c_text.hpp"
#include "overtake/error.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::closing, c_text::code_of, c_text::Token;

using Tokens = std::span<const Token>;

bool opens_statement(const Token& token) {
  return token.is("if") || token.is("switch") || token.is("for") || token.is("while");
}

// What only some work-items may run: from token to token.
std::vector<std::pair<std::size_t, std::size_t>> branches_of(Tokens tokens) {
  std::vector<std::pair<std::size_t, std::size_t>> branches;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::size_t begin = 0;
    if (tokens[i].is("if") || tokens[i].is("switch")) {
      begin = closing(tokens, i + 1) + 1;
    } else if (tokens[i].is("else")) {
      begin = i + 1;
    } else {
      continue;
    }
    branches.emplace_back(begin, statement_end(tokens, begin));
  }
  return branches;
}

// LOCAL memory has no values at first.
void check_local(std::string_view kernel, Tokens tokens, std::size_t local) {
  for (std::size_t i = local; i < tokens.size() && !tokens[i].is(";"); ++i) {
    if (!tokens[i].is("=")) continue;
    throw UsageError(
        fmt::format("[{}] line {}: LOCAL memory is given values where it is declared", kernel, tokens[local].line),
        "Declare it alone; then let work-items assign to it, and SYNC.");
  }
}

}  // namespace

std::size_t statement_end(std::span<const Token> tokens, std::size_t at) {
  while (at < tokens.size() && opens_statement(tokens[at])) at = closing(tokens, at + 1) + 1;
  if (at < tokens.size() && tokens[at].is("{")) return std::min(closing(tokens, at) + 1, tokens.size());
  while (at < tokens.size() && !tokens[at].is(";")) {
    const bool is_open = tokens[at].is("(") || tokens[at].is("[") || tokens[at].is("{");
    at = is_open ? closing(tokens, at) + 1 : at + 1;
  }
  return std::min(at + 1, tokens.size());
}

void check_braces(std::string_view kernel, std::string_view text, std::string_view what) {
  const std::vector<Token> tokens = code_of(text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_extra = tokens[i].is("}") && tokens[i].depth < 0;
    if (!is_extra && (!tokens[i].is("{") || closing(tokens, i) < tokens.size())) continue;
    throw UsageError(
        fmt::format("[{}] line {}{}: this {} has no other brace", kernel, tokens[i].line, what, tokens[i].text),
        "Each { has its }.");
  }
}

void check_element_body(std::string_view kernel, std::string_view body) {
  check_braces(kernel, body);
  for (const Token& token : code_of(body)) {
    if (token.is("return")) {
      throw UsageError(fmt::format("[{}] line {}: a return in the body of an element", kernel, token.line),
                       "Assign the outputs instead, with if and else; a function of the preamble may return.");
    }
    if (token.is("SYNC") || token.is("LOCAL")) {
      throw UsageError(
          fmt::format("[{}] line {}: {} in the body of an element, which has no group", kernel, token.line, token.text),
          "Groups, LOCAL memory and SYNC are for RawKernel.");
    }
  }
}

void check_time_limit(std::string_view kernel, double seconds) {
  constexpr double most = 1e9;
  if (seconds >= 0 && seconds <= most) return;
  throw UsageError(fmt::format("[{}] a time limit of {:g} s", kernel, seconds), "Give seconds, or 0 for no limit.");
}

void check_raw_body(std::string_view kernel, std::string_view body) {
  check_braces(kernel, body);
  const std::vector<Token> tokens = code_of(body);
  const auto branches = branches_of(tokens);
  int returned = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].is("return") && returned == 0) returned = tokens[i].line;
    if (tokens[i].is("LOCAL")) check_local(kernel, tokens, i);
    if (!tokens[i].is("SYNC")) continue;
    const auto holds = [i](const auto& branch) { return branch.first <= i && i < branch.second; };
    if (std::any_of(branches.begin(), branches.end(), holds)) {
      throw UsageError(fmt::format("[{}] line {}: SYNC in a branch", kernel, tokens[i].line),
                       "All work-items of a group must reach it: put the branch around the work between barriers, not "
                       "around the barrier.");
    }
    if (returned > 0) {
      throw UsageError(fmt::format("[{}] line {}: SYNC behind the return of line {}", kernel, tokens[i].line, returned),
                       "All work-items of a group must reach it: guard the work with an if instead of returning.");
    }
  }
}

}  // namespace overtake::user_kernel
