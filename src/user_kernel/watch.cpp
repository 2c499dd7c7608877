// SPDX-License-Identifier: MIT
#include "user_kernel/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/c_text.hpp"

namespace overtake::user_kernel {
namespace {

using c_text::between, c_text::closing, c_text::code_of, c_text::Edits, c_text::Token;

constexpr std::size_t watch_words = 8;  // count, kind, line, array, place (2), item (2)

class Watcher {
 public:
  Watcher(const Watching& watching, std::vector<WatchedArray> arrays)
      : watching_(watching), arrays_(std::move(arrays)) {}

  // The names of the preamble's functions, which get a parameter more.
  void learn_functions(std::string_view preamble) {
    const std::vector<Token> tokens = code_of(preamble);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (!is_device_word(tokens[i])) continue;
      const std::size_t name = name_of_function(tokens, i);
      if (name < tokens.size()) functions_.insert(std::string(tokens[name].text));
    }
  }

  [[nodiscard]] std::string changed(std::string_view text, bool is_body) {
    const std::vector<Token> tokens = code_of(text);
    Edits edits(text);
    if (is_body && watching_.places) learn_local_arrays(tokens);
    std::size_t defined = tokens.size();  // the name of the function whose definition begins
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      if (token.kind != Token::Kind::name) continue;
      if (is_device_word(token)) defined = name_of_function(tokens, i);
      if (watching_.time_limit > 0) loop(tokens, i, edits);
      if (i + 1 >= tokens.size()) continue;
      if (functions_.count(std::string(token.text)) > 0 && tokens[i + 1].is("("))
        function(tokens, i, i == defined, edits);
      if (is_body && watching_.places && tokens[i + 1].is("[")) places(tokens, i, edits);
    }
    return edits.apply();
  }

  [[nodiscard]] std::vector<WatchedArray> arrays() && { return std::move(arrays_); }

 private:
  using Tokens = std::span<const Token>;

  static bool is_device_word(const Token& token) { return token.is("DEVICE") || token.is("DEVICE_APART"); }

  // Of the function whose declaration begins with the word at `at`.
  static std::size_t name_of_function(Tokens tokens, std::size_t at) {
    for (std::size_t i = at + 1; i + 1 < tokens.size() && !tokens[i].is(";") && !tokens[i].is("{"); ++i) {
      if (tokens[i].kind == Token::Kind::name && tokens[i + 1].is("(")) return i;
    }
    return tokens.size();
  }

  // LOCAL float tile[16][17];
  void learn_local_arrays(Tokens tokens) {
    for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
      if (!tokens[i].is("LOCAL")) continue;
      std::size_t at = i + 1;
      while (at + 1 < tokens.size() && !tokens[at + 1].is("[") && !tokens[at].is(";")) ++at;
      WatchedArray array{std::string(tokens[at].text), {}};
      for (std::size_t open = at + 1; open < tokens.size() && tokens[open].is("[");) {
        const std::size_t end = closing(tokens, open);
        if (end >= tokens.size() || end == open + 1) break;
        array.extents.emplace_back(between(tokens[open + 1], tokens[end - 1]));
        open = end + 1;
      }
      if (array.extents.empty()) continue;
      declared_.insert(tokens[at].text.data());
      arrays_.push_back(std::move(array));
    }
  }

  void places(Tokens tokens, std::size_t name, Edits& edits) const {
    if (declared_.count(tokens[name].text.data()) > 0) return;
    if (name > 0 && (tokens[name - 1].is(".") || tokens[name - 1].is("->"))) return;  // a member of something else
    const auto found = std::find_if(arrays_.begin(), arrays_.end(),
                                    [&](const WatchedArray& each) { return tokens[name].is(each.name); });
    if (found == arrays_.end()) return;
    std::size_t open = name + 1;
    for (const std::string& extent : found->extents) {
      if (open >= tokens.size() || !tokens[open].is("[")) return;
      const std::size_t end = closing(tokens, open);
      if (end >= tokens.size()) return;
      edits.insert_behind(tokens[open], "overtake_at((int64)(");
      edits.insert_before(tokens[end], fmt::format("), (int64)({}), {}, {}, overtake_item, overtake_watch)", extent,
                                                   found - arrays_.begin(), tokens[name].line));
      open = end + 1;
    }
  }

  static void loop(Tokens tokens, std::size_t at, Edits& edits) {
    const bool is_for = tokens[at].is("for");
    if ((!is_for && !tokens[at].is("while")) || at + 1 >= tokens.size() || !tokens[at + 1].is("(")) return;
    const std::size_t end = closing(tokens, at + 1);
    if (end >= tokens.size()) return;
    std::size_t first = at + 1, last = end;  // the brackets or semicolons round the condition
    if (is_for) {
      std::vector<std::size_t> semicolons;
      for (std::size_t i = at + 2; i < end; ++i) {
        if (tokens[i].is(";")) semicolons.push_back(i);
      }
      if (semicolons.size() != 2) return;
      first = semicolons[0], last = semicolons[1];
    }
    const std::string look = fmt::format("OVERTAKE_GOES_ON({})", tokens[at].line);
    if (first + 1 == last) return edits.insert_behind(tokens[first], look);
    edits.insert_behind(tokens[first], "(");
    edits.insert_before(tokens[last], ") && " + look);
  }

  // A call passes the watch on; a definition takes it.
  void function(Tokens tokens, std::size_t name, bool is_definition, Edits& edits) const {
    const std::size_t open = name + 1;
    const std::size_t end = closing(tokens, open);
    if (end >= tokens.size()) return;
    const bool has_others = end > open + 1 && !(end == open + 2 && tokens[open + 1].is("void"));
    const std::string_view own = is_definition ? "GLOBAL int* overtake_watch" : "overtake_watch";
    edits.insert_behind(tokens[open], fmt::format("{}{}", own, has_others ? ", " : " "));
    if (end == open + 2 && tokens[open + 1].is("void")) {  // f(void)
      edits.insert_before(tokens[open + 1], "/* ");
      edits.insert_behind(tokens[open + 1], " */");
    }
    if (is_definition && end + 1 < tokens.size() && tokens[end + 1].is("{")) {
      edits.insert_behind(tokens[end + 1], " OVERTAKE_LOOPS");
    }
  }

  Watching watching_;
  std::vector<WatchedArray> arrays_;
  std::set<std::string> functions_;
  std::set<const char*> declared_;
};

}  // namespace

WatchedText watched(std::string_view preamble, std::string_view body, std::vector<WatchedArray> arrays,
                    const Watching& watching) {
  Watcher watcher(watching, std::move(arrays));
  watcher.learn_functions(preamble);
  WatchedText result;
  result.preamble = watcher.changed(preamble, false);
  result.body = watcher.changed(body, true);
  result.arrays = std::move(watcher).arrays();
  return result;
}

std::string watch_functions(const Watching& watching) {
  constexpr double turns_in_a_second = 1e8;  // where a device has no clock
  return fmt::format(R"(
#define OVERTAKE_NANOSECONDS {}ull
#define OVERTAKE_TURNS {}ull
DEVICE void overtake_note(int kind, int line, int array, int64 place, int64 item, GLOBAL int* watch) {{
  if (ATOMIC_ADD(watch, 1) != 0) return;
  watch[1] = kind;
  watch[2] = line;
  watch[3] = array;
  watch[4] = (int)(uint32)place;
  watch[5] = (int)(place >> 32);
  watch[6] = (int)(uint32)item;
  watch[7] = (int)(item >> 32);
}}
DEVICE int64 overtake_at(int64 place, int64 size, int array, int line, int64 item, GLOBAL int* watch) {{
  if (place >= 0 && place < size) return place;
  overtake_note(1, line, array, place, item, watch);
  return 0;
}}
DEVICE int64 overtake_linear(void) {{
  return GLOBAL_ID(0) + (int64)GLOBAL_SIZE(0) * (GLOBAL_ID(1) + (int64)GLOBAL_SIZE(1) * GLOBAL_ID(2));
}}
DEVICE int overtake_is_late(GLOBAL int* watch, uint64 began, uint64 turns, int line) {{
  if (ATOMIC_ADD(watch, 0) != 0) return 1;
#ifdef NANOSECONDS
  if (NANOSECONDS - began < OVERTAKE_NANOSECONDS) return 0;
#else
  if (turns < OVERTAKE_TURNS) return 0;
#endif
  overtake_note(2, line, 0, 0, overtake_linear(), watch);
  return 1;
}}
#ifdef NANOSECONDS
#define OVERTAKE_LOOPS uint64 overtake_turns = 0, overtake_began = NANOSECONDS; (void)overtake_turns; (void)overtake_began;
#else
#define OVERTAKE_LOOPS uint64 overtake_turns = 0, overtake_began = 0; (void)overtake_turns; (void)overtake_began;
#endif
#define OVERTAKE_GOES_ON(line) \
  ((++overtake_turns & 1023u) != 0u || !overtake_is_late(overtake_watch, overtake_began, overtake_turns, line))
)",
                     static_cast<std::uint64_t>(watching.time_limit * 1e9),
                     static_cast<std::uint64_t>(watching.time_limit * turns_in_a_second));
}

WatchBuffer::WatchBuffer(backend::Device& device)
    : device_(device), buffer_(device.allocate(watch_words * sizeof(std::int32_t))) {
  const std::array<std::int32_t, watch_words> zeros{};
  device_.upload(*buffer_, 0, zeros.data(), sizeof(zeros));
}

WatchBuffer::Fault WatchBuffer::read() const {
  std::array<std::int32_t, watch_words> words{};
  device_.download(*buffer_, 0, words.data(), sizeof(words));
  if (words[0] == 0) return {};
  const auto joined = [&](std::size_t low) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::uint32_t>(words[low + 1])) << 32U |
                                     static_cast<std::uint32_t>(words[low]));
  };
  return {static_cast<Fault::Kind>(words[1]), words[2], words[3], joined(4), joined(6)};
}

}  // namespace overtake::user_kernel
