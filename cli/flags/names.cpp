// SPDX-License-Identifier: MIT
#include "flags/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

[[noreturn]] void unknown(const std::string& kind, const std::string& word, const std::vector<std::string>& names,
                          const std::string& help) {
  const std::string near = overtake::text::nearest(word, names);
  throw overtake::UsageError(
      fmt::format("unknown {} \"{}\"", kind, word),
      near.empty() ? fmt::format("See {}.", help) : fmt::format("Did you mean \"{}\"? See {}.", near, help));
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_fnames()) names.push_back("--" + name.substr(0, name.find('{')));
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::int64_t parse_integer(std::string_view text, const std::string& whole, const std::string& flag) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    throw overtake::UsageError(fmt::format("{} \"{}\": \"{}\" is not a whole number", flag, whole, text),
                               fmt::format("For example {} 2..8 or {} 2,4,8.", flag, flag));
  }
  return value;
}

}  // namespace

void check_names(const CLI::App& root, int argc, const char* const* argv) {
  const CLI::App* app = &root;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") return;
    if (word.starts_with("--")) {
      const std::string flag = word.substr(0, word.find('='));
      const auto names = flag_names(*app);
      if (std::find(names.begin(), names.end(), flag) == names.end()) {
        unknown("flag", flag, names, app == &root ? "overtake --help" : "overtake " + app->get_name() + " --help");
      }
      if (word.size() == flag.size() + 1) {  // the parser would take the next word
        throw overtake::UsageError(fmt::format("{} has no value behind its =", flag),
                                   fmt::format("Give one: {}=VALUE.", flag));
      }
      continue;
    }
    if (app == &root && !word.starts_with("-")) {
      const auto names = command_names(root);
      if (std::find(names.begin(), names.end(), word) == names.end()) {
        unknown("subcommand", word, names, "overtake --help");
      }
      app = root.get_subcommand(word);
    }
  }
}

std::vector<std::string> parse_words(const std::string& text) {
  std::vector<std::string> words(1);
  bool quoted = false;
  bool began_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      words.back() += c;
      ++i;
    } else if (c == '"' && (quoted || (words.back().empty() && !began_quoted))) {
      quoted = !quoted;
      began_quoted = true;
    } else if (c == ',' && !quoted) {
      words.emplace_back();
      began_quoted = false;
    } else {
      words.back() += c;  // a quote inside a word is part of it
    }
  }
  if (quoted) {
    return {text};  // one quote alone is part of a name
  }
  std::erase(words, std::string());
  return words;
}

/// "64,,64" is a slip, not two layers.
void refuse_empty_words(const std::string& text, const std::string& flag) {
  const bool empty_word =
      !text.empty() && (text.front() == ',' || text.back() == ',' || text.find(",,") != std::string::npos);
  if (empty_word) {
    throw overtake::UsageError(fmt::format("{} \"{}\": a number is missing beside a comma", flag, text),
                               fmt::format("Write it without the comma: {} 64,64.", flag));
  }
}

std::vector<int> parse_ranges(const std::string& text, const std::string& flag) {
  constexpr std::int64_t most = 1000;
  std::vector<int> values;
  refuse_empty_words(text, flag);
  for (const std::string& word : parse_words(text)) {
    const std::size_t dots = word.find("..");
    const std::int64_t first = parse_integer(word.substr(0, dots), text, flag);
    const std::int64_t last = dots == std::string::npos ? first : parse_integer(word.substr(dots + 2), text, flag);
    if (first < 1 || last < first || last > most) {
      throw overtake::UsageError(
          fmt::format("{} \"{}\": \"{}\" is not an ascending range of positive numbers", flag, text, word));
    }
    for (std::int64_t value = first; value <= last; ++value) values.push_back(static_cast<int>(value));
  }
  if (values.empty()) {
    throw overtake::UsageError(fmt::format("{} needs at least one number", flag),
                               fmt::format("For example {} 2..8.", flag));
  }
  return values;
}

std::vector<std::int64_t> parse_sizes(const std::string& text, const std::string& flag) {
  std::vector<std::int64_t> sizes;
  refuse_empty_words(text, flag);
  for (const std::string& word : parse_words(text)) sizes.push_back(parse_integer(word, text, flag));
  return sizes;
}

std::optional<overtake::Placement> asked_for(const std::string& device) {
  if (device == "auto") return std::nullopt;
  overtake::Placement placement;
  placement.device = overtake::Device(device).id();
  placement.reason = "as asked for";
  return placement;
}

overtake::OnBroken parse_broken_rule(const std::string& name) {
  static const std::vector<std::string> rules = {"refuse", "skip"};
  overtake::text::check_choice("--on-broken", name, rules);
  return name == "skip" ? overtake::OnBroken::skip : overtake::OnBroken::refuse;
}

void require(bool holds, const std::string& message, const std::string& hint) {
  if (!holds) throw overtake::UsageError(message, hint);
}

}  // namespace cli
