// SPDX-License-Identifier: MIT
// Which kernels a source has, and which of them may reach a barrier.
#include <algorithm>
#include <set>

#include "backend/cpu/kernels/kernel_text.hpp"

namespace overtake::backend::cpu {
namespace {

using c_text::closing, c_text::directive_name, c_text::directive_text, c_text::Token, c_text::tokens_of;
using Words = std::vector<std::string_view>;

/// A function or a macro: by which names it is called, and the words in it.
struct Definition {
  Words names, words;
};

void add_words(Words& words, const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (tokens[i].kind == Token::Kind::name) words.push_back(tokens[i].text);
  }
}

Definition macro(std::string_view text) {
  Definition definition;
  const std::vector<Token> tokens = tokens_of(text);
  if (tokens.empty()) return definition;
  definition.names.push_back(tokens[0].text);
  add_words(definition.words, tokens, 1, tokens.size());
  return definition;
}

/// The function whose header and body these tokens are. Its name is before the first bracket; where another pair of
/// brackets follows, that of NAME(tape)(int x), it may be in the first one, too.
Definition function(const std::vector<Token>& tokens, std::size_t header, std::size_t open, std::size_t close) {
  Definition definition;
  std::size_t bracket = header;
  while (bracket < open && !tokens[bracket].is("(")) ++bracket;
  if (bracket > header) definition.names.push_back(tokens[bracket - 1].text);
  const std::size_t end = closing(tokens, bracket);
  if (end + 1 < open && tokens[end + 1].is("(")) add_words(definition.names, tokens, bracket, end);
  add_words(definition.words, tokens, open, close);
  return definition;
}

std::vector<Definition> definitions_of(const std::vector<Token>& tokens) {
  std::vector<Definition> definitions;
  std::size_t header = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == Token::Kind::directive) {
      if (directive_name(tokens[i]) == "define") definitions.push_back(macro(directive_text(tokens[i])));
      if (tokens[i].depth == 0) header = i + 1;
    } else if (tokens[i].depth == 0 && (tokens[i].is(";") || tokens[i].is("}"))) {
      header = i + 1;
    } else if (tokens[i].depth == 0 && tokens[i].is("{") && i > 0 && tokens[i - 1].is(")")) {
      definitions.push_back(function(tokens, header, i, closing(tokens, i)));
    }
  }
  return definitions;
}

/// SYNC, and all names by which something that may reach it is called.
std::set<std::string_view> names_that_wait(const std::vector<Definition>& definitions) {
  std::set<std::string_view> waiting = {"SYNC"};
  for (bool more = true; more;) {
    more = false;
    for (const Definition& definition : definitions) {
      const auto waits = [&](std::string_view word) { return waiting.count(word) > 0; };
      if (std::none_of(definition.words.begin(), definition.words.end(), waits)) continue;
      for (const std::string_view name : definition.names) more = waiting.insert(name).second || more;
    }
  }
  return waiting;
}

std::string joined(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    if (!text.empty()) text += ' ';
    text += tokens[i].text;
  }
  return text;
}

/// The kernel that begins at a token KERNEL, KERNEL_SIZED or KERNEL_RESIDENT; nothing where only its name is declared.
std::optional<FoundKernel> kernel_at(const std::vector<Token>& tokens, std::size_t first) {
  FoundKernel kernel{};
  kernel.first = first;
  kernel.size = "0";
  std::size_t at = first + 1;
  if (!tokens[first].is("KERNEL") && at < tokens.size() && tokens[at].is("(")) {
    const std::size_t end = closing(tokens, at);
    std::size_t comma = at + 1;
    while (comma < end && !tokens[comma].is(",")) ++comma;
    kernel.size = joined(tokens, at + 1, tokens[first].is("KERNEL_RESIDENT") ? comma : end);
    at = end + 1;
  }
  if (at + 2 >= tokens.size() || !tokens[at].is("void") || !tokens[at + 2].is("(")) return std::nullopt;
  kernel.name = tokens[at + 1].text;
  const std::size_t end = closing(tokens, at + 2);
  kernel.parameters = joined(tokens, at + 3, std::min(end, tokens.size()));
  if (end + 1 >= tokens.size() || !tokens[end + 1].is("{")) return std::nullopt;
  kernel.open = end + 1;
  kernel.close = closing(tokens, kernel.open);
  if (kernel.close == tokens.size()) return std::nullopt;
  return kernel;
}

}  // namespace

std::vector<FoundKernel> find_kernels(const std::vector<Token>& tokens, const std::vector<std::string>& defines) {
  std::vector<Definition> definitions = definitions_of(tokens);
  std::vector<std::string> texts = defines;
  for (std::string& text : texts) {
    std::replace(text.begin(), text.end(), '=', ' ');
    definitions.push_back(macro(text));
  }
  const std::set<std::string_view> waiting = names_that_wait(definitions);
  std::vector<FoundKernel> kernels;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_kernel = tokens[i].is("KERNEL") || tokens[i].is("KERNEL_SIZED") || tokens[i].is("KERNEL_RESIDENT");
    if (!is_kernel || tokens[i].depth != 0 || tokens[i].kind != Token::Kind::name) continue;
    std::optional<FoundKernel> kernel = kernel_at(tokens, i);
    // A head in each branch of an #if may have one end: one entry is enough.
    if (!kernel || (!kernels.empty() && kernels.back().close == kernel->close)) continue;
    kernel->needs_fibers = std::any_of(tokens.begin() + static_cast<std::ptrdiff_t>(kernel->open),
                                       tokens.begin() + static_cast<std::ptrdiff_t>(kernel->close),
                                       [&](const Token& t) { return t.is("LOCAL") || waiting.count(t.text) > 0; });
    kernel->has_items = std::any_of(tokens.begin() + static_cast<std::ptrdiff_t>(kernel->open),
                                    tokens.begin() + static_cast<std::ptrdiff_t>(kernel->close),
                                    [](const Token& t) { return t.is("WORK_ITEMS"); });
    kernel->needs_fibers = kernel->needs_fibers || kernel->has_items;
    kernels.push_back(std::move(*kernel));
  }
  return kernels;
}

}  // namespace overtake::backend::cpu
