// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "core/c_text.hpp"
#include "overtake/error.hpp"
#include "user_kernel/declared_names.hpp"
#include "user_kernel/watch.hpp"
#include "user_kernel/watch_loops.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::between, c_text::closing, c_text::code_of, c_text::Edits, c_text::Token;

using Tokens = std::span<const Token>;

// An array where it is in scope.
struct Known {
  std::string name;
  std::vector<std::string> extents;  // none: a pointer that a function was given
  std::string passed;  // what a function is given of it: its first element, how many there are, its number
};

bool is_device_word(const Token& token) { return token.is("DEVICE") || token.is("DEVICE_APART"); }

// Of the function whose declaration begins with the word at `at`.
std::size_t name_of_function(Tokens tokens, std::size_t at) {
  for (std::size_t i = at + 1; i + 1 < tokens.size() && !tokens[i].is(";") && !tokens[i].is("{"); ++i) {
    if (tokens[i].kind == Token::Kind::name && tokens[i + 1].is("(")) return i;
  }
  return tokens.size();
}

// What stands between commas, and between the brackets at `open` and `end`.
std::vector<Tokens> parts_of(Tokens tokens, std::size_t open, std::size_t end) {
  std::vector<Tokens> parts;
  for (std::size_t from = open + 1, at = from; at <= end; ++at) {
    if (at < end && (tokens[at].is("(") || tokens[at].is("[") || tokens[at].is("{"))) {
      at = std::min(closing(tokens, at), end - 1);
    } else if (at == end || tokens[at].is(",")) {
      if (at > from) parts.push_back(tokens.subspan(from, at - from));
      from = at + 1;
    }
  }
  return parts;
}

// "const float* t" or "const float t[]": where its name is, behind the star; past the end where a prototype leaves it
// out. Nothing for what is no pointer to elements.
std::optional<std::size_t> pointer_name(Tokens parameter) {
  const auto is = [](std::string_view sign) { return [sign](const Token& token) { return token.is(sign); }; };
  const auto stars = std::count_if(parameter.begin(), parameter.end(), is("*"));
  const auto brackets = std::count_if(parameter.begin(), parameter.end(), is("["));
  if (stars + brackets != 1 || std::any_of(parameter.begin(), parameter.end(), is("("))) return std::nullopt;
  const auto sign = std::find_if(parameter.begin(), parameter.end(), is(stars == 1 ? "*" : "["));
  auto at = static_cast<std::size_t>(sign - parameter.begin());
  if (brackets == 1) return at > 1 ? std::optional(at - 1) : std::nullopt;
  for (++at; at < parameter.size(); ++at) {
    if (!parameter[at].is("const") && !parameter[at].is("RESTRICT") && !parameter[at].is("volatile")) break;
  }
  return at;
}

class Watcher {
 public:
  Watcher(std::string_view kernel, const Watching& watching, std::vector<WatchedArray> arrays)
      : kernel_(kernel), watching_(watching), arrays_(std::move(arrays)) {}

  // The preamble's functions, which get parameters more.
  void learn_functions(std::string_view preamble) {
    const std::vector<Token> tokens = code_of(preamble);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (!is_device_word(tokens[i])) continue;
      const std::size_t name = name_of_function(tokens, i);
      if (name >= tokens.size()) continue;
      const std::size_t end = closing(tokens, name + 1);
      std::vector<bool> pointers;
      for (const Tokens part : parts_of(tokens, name + 1, std::min(end, tokens.size() - 1))) {
        pointers.push_back(watching_.places && pointer_name(part).has_value());
      }
      functions_.emplace(tokens[name].text, std::move(pointers));
    }
  }

  [[nodiscard]] std::string changed(std::string_view text, bool is_body) {
    const std::vector<Token> all = c_text::tokens_of(text);
    Edits edits(text);
    // Lines of the preamble are negative, but where directives name its files.
    sign_ = is_body || text.find("#line") != std::string_view::npos ? 1 : -1;
    scope_.clear();
    for (const Token& token : all) {
      if (token.kind == Token::Kind::directive && c_text::directive_name(token) == "define") {
        calls_of_macro(c_text::tokens_of(c_text::directive_text(token)), edits);
      }
    }
    if (watching_.time_limit > 0) watch_loops(kernel_, text, sign_, edits);
    const std::vector<Token> tokens = code_of(text);
    hidden_ = declared_names(tokens, is_body ? 0 : 1);
    if (is_body) learn_arrays(tokens);
    std::size_t defined = tokens.size();  // the name of the function whose definition begins
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (!is_body && token.depth == 0 && token.is("}")) scope_.clear();
      if (token.kind != Token::Kind::name) continue;
      if (is_device_word(token)) defined = name_of_function(tokens, i);
      if (i + 1 >= tokens.size()) continue;
      const auto function = functions_.find(std::string(token.text));
      if (i == defined) {
        i = definition(tokens, i, edits);
      } else if (function != functions_.end() && tokens[i + 1].is("(")) {
        call(tokens, i, function->second, edits);
      }
      if (watching_.places && token.is("overtake_step")) step(tokens, i, edits);
      if (watching_.places) use(tokens, i, edits);
    }
    return edits.apply();
  }

  // Macros that name an array read it where nobody looks. After the body, whose LOCAL arrays are known then.
  void check_macros(std::string_view text, bool is_body) {
    sign_ = is_body || text.find("#line") != std::string_view::npos ? 1 : -1;
    for (const Token& token : c_text::tokens_of(text)) {
      if (token.kind != Token::Kind::directive || c_text::directive_name(token) != "define") continue;
      const std::vector<Token> words = c_text::tokens_of(c_text::directive_text(token));
      const bool takes =
          words.size() > 1 && words[1].is("(") && words[0].text.data() + words[0].text.size() == words[1].text.data();
      const std::size_t begin = takes ? closing(words, 1) : 1;
      for (std::size_t i = begin; i < words.size(); ++i) {
        const auto is_word = [&](const Token& each) { return each.is(words[i].text); };
        const auto is_name = [&](const WatchedArray& each) { return each.name == words[i].text; };
        const bool is_own = std::any_of(words.begin() + 1, words.begin() + static_cast<std::ptrdiff_t>(begin), is_word);
        const bool is_array = std::any_of(arrays_.begin(), arrays_.end(), is_name);
        if (is_array && !is_own) refuse(token.line, words[i].text);
      }
    }
  }

  [[nodiscard]] std::vector<WatchedArray> arrays() && { return std::move(arrays_); }

 private:
  // Those of the kernel, and LOCAL float tile[16][17], row[16];
  void learn_arrays(Tokens tokens) {
    for (std::size_t i = 0; watching_.places && i + 3 < tokens.size(); ++i) {
      if (!tokens[i].is("LOCAL")) continue;
      for (std::size_t at = i + 1; at + 1 < tokens.size() && !tokens[at].is(";"); ++at) {
        if (tokens[at].kind != Token::Kind::name || !tokens[at + 1].is("[")) continue;
        WatchedArray array{std::string(tokens[at].text), {}};
        std::size_t open = at + 1;
        while (open < tokens.size() && tokens[open].is("[")) {
          const std::size_t end = closing(tokens, open);
          if (end >= tokens.size() || end == open + 1) break;
          array.extents.emplace_back(between(tokens[open + 1], tokens[end - 1]));
          open = end + 1;
        }
        if (array.extents.empty()) continue;
        declared_.insert(tokens[at].text.data());
        arrays_.push_back(std::move(array));
        at = open - 1;
      }
    }
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
      const auto& [name, extents] = arrays_[i];
      std::string first = extents.size() > 1 ? "&" + name : name;
      for (std::size_t axis = 0; extents.size() > 1 && axis < extents.size(); ++axis) first += "[0]";
      scope_.push_back({name, extents, fmt::format(", {}, (int64)({}), {}", first, fmt::join(extents, ") * ("), i)});
    }
  }

  [[nodiscard]] const Known* known(const Token& token) const {
    const auto found =
        std::find_if(scope_.begin(), scope_.end(), [&](const Known& each) { return token.is(each.name); });
    const auto is_meant = [&](const DeclaredName& each) { return each.is_meant(token); };
    if (found == scope_.end() || std::any_of(hidden_.begin(), hidden_.end(), is_meant)) return nullptr;
    return &*found;
  }

  [[noreturn]] void refuse(int line, std::string_view array) const {
    throw UsageError(fmt::format("[{}] line {}{}: debug cannot look at what is read through '{}' here", kernel_, line,
                                 sign_ < 0 ? " of the preamble" : "", array),
                     fmt::format("Name the array and the place, {}[index], also where a function of the preamble is "
                                 "given it; or leave debug out.",
                                 array));
  }

  // A name: of an array it is looked at, or refused.
  void use(Tokens tokens, std::size_t name, Edits& edits) const {
    const auto before = [&](std::size_t back) { return name >= back ? tokens[name - back].text : std::string_view(); };
    const char* const at = tokens[name].text.data();
    const Known* const array = known(tokens[name]);
    if (array == nullptr || declared_.count(at) > 0 || before(1) == "." || before(1) == "->") return;
    const bool is_whole = name + 1 < tokens.size() && tokens[name + 1].is("[") && places(tokens, name, *array, edits);
    if (passed_.count(at) > 0 || before(1) == "sizeof" || (before(1) == "(" && before(2) == "sizeof")) return;
    if (before(1) == ")" && before(2) == "void" && before(3) == "(") return;
    // &x[3] is a pointer of the text's own, but for atomics; a & x[3] and a && x[3] are not.
    const bool is_value =
        name >= 2 && (tokens[name - 2].kind == Token::Kind::name || before(2) == "]" || before(2) == "&" ||
                      tokens[name - 2].kind == Token::Kind::number || (before(2) == ")" && before(3) != "*"));
    const bool is_address = before(1) == "&" && (!is_value || before(2) == "return");
    const bool is_atomic = before(2) == "(" && before(3).starts_with("ATOMIC_");
    if (!is_whole || (is_address && !is_atomic)) refuse(tokens[name].line, tokens[name].text);
  }

  // True if an element is named.
  bool places(Tokens tokens, std::size_t name, const Known& array, Edits& edits) const {
    const int line = sign_ * tokens[name].line;
    if (array.extents.empty()) {
      const std::size_t end = closing(tokens, name + 1);
      if (end >= tokens.size()) return false;
      edits.insert_behind(tokens[name + 1], "overtake_from((int64)(");
      edits.insert_before(tokens[end], fmt::format("), (int64)({0} - overtake_first_{0}), overtake_size_{0}, "
                                                   "overtake_array_{0}, {1}, overtake_item, overtake_watch)",
                                                   array.name, line));
      return true;
    }
    std::size_t open = name + 1;
    for (const std::string& extent : array.extents) {
      if (open >= tokens.size() || !tokens[open].is("[")) return false;
      const std::size_t end = closing(tokens, open);
      if (end >= tokens.size()) return false;
      edits.insert_behind(tokens[open], "overtake_at((int64)(");
      edits.insert_before(tokens[end], fmt::format("), (int64)({}), {}, {}, overtake_item, overtake_watch)", extent,
                                                   &array - scope_.data(), line));
      open = end + 1;
    }
    return true;
  }

  void step(Tokens tokens, std::size_t name, Edits& edits) const {
    const std::size_t end = closing(tokens, name + 1);
    if (end >= tokens.size()) return;
    edits.insert_before(tokens[end], fmt::format(", {}, overtake_item, overtake_watch", sign_ * tokens[name].line));
  }

  // What each function takes first, or is given.
  [[nodiscard]] std::string own(bool is_definition, bool has_others) const {
    return (is_definition ? watch_parameters(watching_) : watch_arguments(watching_)) + (has_others ? ", " : " ");
  }

  // Of a function, or its prototype: more parameters; gives the bracket behind them.
  std::size_t definition(Tokens tokens, std::size_t name, Edits& edits) {
    const std::size_t open = name + 1, end = closing(tokens, open);
    if (end >= tokens.size()) return name;
    const bool is_void = end == open + 2 && tokens[open + 1].is("void");
    edits.insert_behind(tokens[open], own(true, end > open + 1 && !is_void));
    if (is_void) {
      edits.insert_before(tokens[open + 1], "/* ");
      edits.insert_behind(tokens[open + 1], " */");
    }
    const bool has_body = end + 1 < tokens.size() && tokens[end + 1].is("{");
    scope_.clear();
    for (const Tokens part : parts_of(tokens, open, end)) {
      const std::optional<std::size_t> at = watching_.places ? pointer_name(part) : std::nullopt;
      if (!at) continue;
      const bool is_named = *at < part.size();
      const std::string given = is_named ? std::string(part[*at].text) : "";
      std::string first(between(part[0], part[*at - 1]));
      if (*at + 1 < part.size()) first += "*";  // t[]
      const auto called = [&](std::string_view what) {
        return is_named ? fmt::format(" overtake_{}_{}", what, given) : "";
      };
      edits.insert_behind(
          part.back(), fmt::format(", {}{}, int64{}, int{}", first, called("first"), called("size"), called("array")));
      if (is_named && has_body) {
        scope_.push_back(
            {given, {}, fmt::format(", overtake_first_{0}, overtake_size_{0}, overtake_array_{0}", given)});
      }
    }
    return end;
  }

  // Passes on the watch, and of arrays what they are.
  void call(Tokens tokens, std::size_t name, const std::vector<bool>& pointers, Edits& edits) {
    const std::size_t open = name + 1, end = closing(tokens, open);
    if (end >= tokens.size()) return;
    edits.insert_behind(tokens[open], own(false, end > open + 1));
    const std::vector<Tokens> arguments = parts_of(tokens, open, end);
    for (std::size_t i = 0; i < std::min(arguments.size(), pointers.size()); ++i) {
      if (!pointers[i]) continue;
      const Known* const array = pointed_at(arguments[i]);
      edits.insert_behind(arguments[i].back(), array != nullptr ? array->passed : ", 0, 0, -1");
      if (array == nullptr) continue;
      const auto is_name = [&](const Token& token) { return token.is(array->name); };
      passed_.insert(std::find_if(arguments[i].begin(), arguments[i].end(), is_name)->text.data());
    }
  }

  // The bodies of macros: what they call is changed, too. They may stand for anything in any scope, so their places are
  // not looked at.
  void calls_of_macro(Tokens tokens, Edits& edits) {
    for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
      const auto function = functions_.find(std::string(tokens[i].text));
      if (function != functions_.end() && tokens[i + 1].is("(")) call(tokens, i, function->second, edits);
    }
  }

  // x, x + 3, &x[3], (x): the array; null for what is none in scope.
  [[nodiscard]] const Known* pointed_at(Tokens argument) const {
    while (argument.size() > 2 && argument[0].is("(") && closing(argument, 0) + 1 == argument.size()) {
      argument = argument.subspan(1, argument.size() - 2);
    }
    const bool is_address = argument.size() > 1 && argument[0].is("&");
    if (is_address) argument = argument.subspan(1);
    const Known* const array = known(argument[0]);
    std::size_t at = 1, indices = 0;
    for (; at < argument.size() && argument[at].is("["); ++indices) at = closing(argument, at) + 1;
    const bool is_pointer = at >= argument.size() || argument[at].is("+") || argument[at].is("-");
    if (array == nullptr || !is_pointer) return nullptr;
    const std::size_t axes = std::max<std::size_t>(array->extents.size(), 1);
    return indices + (is_address ? 0 : 1) == axes ? array : nullptr;
  }

  std::string_view kernel_;
  Watching watching_;
  std::vector<WatchedArray> arrays_;
  std::map<std::string, std::vector<bool>> functions_;  // and which of their parameters are pointers
  std::set<const char*> declared_;
  std::set<const char*> passed_;  // names of arrays that functions of the preamble are given
  std::vector<Known> scope_;      // of a body in the order of the arrays
  std::vector<DeclaredName> hidden_;
  int sign_ = 1;
};

}  // namespace

WatchedText watched(std::string_view kernel, std::string_view preamble, std::string_view body,
                    std::vector<WatchedArray> arrays, const Watching& watching) {
  Watcher watcher(kernel, watching, std::move(arrays));
  watcher.learn_functions(preamble);
  WatchedText result;
  result.preamble = watcher.changed(preamble, false);
  result.body = watcher.changed(body, true);
  if (watching.places) {
    watcher.check_macros(preamble, false);
    watcher.check_macros(body, true);
  }
  result.arrays = std::move(watcher).arrays();
  return result;
}

}  // namespace overtake::user_kernel
