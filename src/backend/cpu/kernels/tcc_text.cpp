// SPDX-License-Identifier: MIT
#include "backend/cpu/kernels/tcc_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "backend/cpu/kernels/kernel_text.hpp"
#include "core/c_text.hpp"

namespace overtake::backend::cpu {
namespace {

using c_text::closing, c_text::directive_name, c_text::directive_text, c_text::Edits, c_text::Token, c_text::tokens_of;
using Tokens = std::span<const Token>;
using Names = std::set<std::string_view>;

bool is_any(const Token& token, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), token.text) != words.end();
}

/// True if the words name the type: "unsigned short", or one of its names.
bool is_type(Tokens words, const Names& names) {
  constexpr std::array<std::string_view, 5> parts{"unsigned", "short", "int", "const", "volatile"};
  bool is_short = false, is_unsigned = false, is_named = false;
  for (const Token& word : words) {
    is_short |= word.is("short");
    is_unsigned |= word.is("unsigned");
    is_named |= names.count(word.text) > 0;
    if (names.count(word.text) == 0 && !is_any(word, parts)) return false;
  }
  return is_named || (is_short && is_unsigned);
}

/// A macro with parameters.
struct Macro {
  std::vector<std::string_view> parameters;
  Names types;  ///< parameters that are given the type
};

/// A #define of a text.
struct Define {
  std::string_view name;
  std::vector<Token> words;  ///< of all but "define"
  std::size_t body = 1;      ///< where what it stands for begins
};

class Casts {
 public:
  explicit Casts(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  std::string mended() {
    for (const Token& token : tokens_) {
      if (token.kind == Token::Kind::directive && directive_name(token) == "define") learn(directive_text(token));
    }
    // A name may be made of one that comes later.
    for (std::size_t known = names_.size() + 1; known != names_.size();) {
      known = names_.size();
      learn_names();
    }
    find_arguments(tokens_);
    for (const Define& define : defines_) find_arguments(define.words);
    Edits edits(text_);
    mend(tokens_, names_, edits);
    for (const Define& define : defines_) {
      Names names = names_;
      if (const auto macro = macros_.find(define.name); macro != macros_.end()) names.merge(Names(macro->second.types));
      mend(Tokens(define.words).subspan(std::min(define.body, define.words.size())), names, edits);
    }
    return edits.apply();
  }

 private:
  void learn(std::string_view definition) {
    Define define{.name = {}, .words = tokens_of(definition)};
    if (define.words.empty()) return;
    const Token& name = define.words[0];
    define.name = name.text;
    const bool takes = define.words.size() > 1 && define.words[1].is("(") &&
                       name.text.data() + name.text.size() == define.words[1].text.data();
    if (takes) {
      define.body = closing(define.words, 1) + 1;
      Macro& macro = macros_[define.name];
      for (std::size_t i = 2; i + 1 < define.body; ++i) {
        if (define.words[i].kind == Token::Kind::name) macro.parameters.push_back(define.words[i].text);
      }
    }
    defines_.push_back(std::move(define));
  }

  void learn_names() {
    for (const Define& define : defines_) {
      if (define.body == 1 && is_type(Tokens(define.words).subspan(1), names_)) names_.insert(define.name);
    }
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!tokens_[i].is("typedef")) continue;
      std::size_t end = i + 1;
      while (end < tokens_.size() && !tokens_[end].is(";")) ++end;
      if (end > i + 2 && is_type(Tokens(tokens_).subspan(i + 1, end - i - 2), names_)) {
        names_.insert(tokens_[end - 1].text);
      }
    }
  }

  /// The type as an argument of a macro: its parameter is that type.
  void find_arguments(Tokens tokens) {
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto macro = macros_.find(tokens[i].text);
      if (macro == macros_.end() || !tokens[i + 1].is("(")) continue;
      const std::size_t end = std::min(closing(tokens, i + 1), tokens.size());
      for (std::size_t from = i + 2, number = 0; from < end; ++number) {
        std::size_t to = from;
        while (to < end && !tokens[to].is(",")) to = tokens[to].is("(") ? closing(tokens, to) + 1 : to + 1;
        to = std::min(to, end);
        if (number < macro->second.parameters.size() && is_type(tokens.subspan(from, to - from), names_)) {
          macro->second.types.insert(macro->second.parameters[number]);
        }
        from = to + 1;
      }
    }
  }

  static void mend(Tokens tokens, const Names& names, Edits& edits) {
    constexpr std::array<std::string_view, 4> before{"return", "case", "else", "do"};
    constexpr std::array<std::string_view, 6> signs{"(", "+", "-", "~", "!", "*"};
    for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
      if (!tokens[i].is("(")) continue;
      const std::size_t end = closing(tokens, i);
      if (end + 1 >= tokens.size() || end > i + 6 || !is_type(tokens.subspan(i + 1, end - i - 1), names)) continue;
      // f(uint16) declares a parameter, sizeof(uint16) is no cast.
      if (i > 0 && tokens[i - 1].kind == Token::Kind::name && !is_any(tokens[i - 1], before)) continue;
      const Token& next = tokens[end + 1];
      if (next.kind != Token::Kind::sign || is_any(next, signs)) edits.insert_behind(tokens[end], "+ ");
    }
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  Names names_{"uint16"};
  std::vector<Define> defines_;
  std::map<std::string_view, Macro> macros_;
};

}  // namespace

std::string text_for_tcc(const std::string& text) {
  // The dialect's own text has no such casts, and is longer than most kernels.
  const std::size_t begin = std::min(text.find(end_of_dialect), text.size());
  return text.substr(0, begin) + Casts(std::string_view(text).substr(begin)).mended();
}

}  // namespace overtake::backend::cpu
