// SPDX-License-Identifier: MIT
// GCC 12 takes the states of std::regex for uninitialised where sanitizers are on.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "core/config.hpp"
#include "overtake/doctor.hpp"

namespace overtake {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

/// True for a name that is a word of reports, or too short to be told from one.
bool is_common(const std::string& name) {
  constexpr std::string_view words =
      " access amd avx build cache card cards check checks clear compiler computer computes container copies copy core "
      "cores cpu cublas cuda default dev device devices docker driver drivers error etc file files finding findings "
      "folder found free gpu gpus graphics group home host icd install intel kernel kernels launch lib libraries "
      "library limit limits linux local localhost machine matrix memory name no node none note number nvidia nvrtc "
      "onednn opencl opt out overtake pip platform pocl process processor products program programs proc rate root "
      "run running runtime server start system test text thread threads time tmp trial unknown unset update usable "
      "user users usr value var variable version warning work works wrong ";
  constexpr std::size_t shortest = 3;
  return name.size() < shortest || words.find(" " + lower(name) + " ") != std::string_view::npos;
}

/// Where `name` stands for itself and for nothing else: in a path, beside an @, or as all of a variable's value.
bool is_certain(std::string_view text, std::size_t at, std::size_t end) {
  const char before = at > 0 ? text[at - 1] : '\0';
  const char after = end < text.size() ? text[end] : '\0';
  const bool ends = after == '\0' || std::string_view(" /:,;\"')").find(after) != std::string_view::npos;
  return before == '@' || after == '@' || ((before == '/' || before == '=') && ends);
}

/// Replaces a name where it stands as a word of its own; one that is a word of reports only where it is_certain().
std::string without(std::string text, const std::string& name, const std::string& replacement) {
  const std::string wanted = lower(name);
  const bool common = is_common(name);
  for (std::size_t at = lower(text).find(wanted); at != std::string::npos; at = lower(text).find(wanted, at)) {
    const std::size_t end = at + name.size();
    const bool is_part = (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (is_part || (common && !is_certain(text, at, end))) {
      at = end;
      continue;
    }
    text.replace(at, name.size(), replacement);
    at += replacement.size();
  }
  return text;
}

/// Replaces a folder at the beginning of paths.
std::string without_folder(std::string text, const std::string& folder) {
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at)) {
    const std::size_t end = at + folder.size();
    const bool goes_on = end < text.size() && (is_word(text[end]) || text[end] == '-');
    if (goes_on || (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '/'))) {
      at = end;
      continue;
    }
    text.replace(at, folder.size(), "~");
  }
  return text;
}

/// Names that follow from where homes usually lie, and numbers that belong to one machine.
std::string without_patterns(std::string text) {
  // A folder's name: with "o'brien", and with spaces where the path goes on behind them ("maria lopez/").
  const std::string name = R"([^/\s"':,;)]+(?:'\w[^/\s"':,;)]*)*(?:(?: [^/\s":,;)]+){1,2}(?=/))?)";
  const std::string domain = R"((?:[\w-]+(?:\.[\w-]+)+/(?=[^/\s])|(?:\w/){1,2})?)";  // corp.example.com/, m/, m/a/
  static const std::vector<std::pair<std::regex, const char*>> patterns = {
      {std::regex(R"(/(home\d*|homes|Users|users|user|people|u)/)" + domain + name), "/$1/USER"},
      {std::regex("/media/(?!USER)" + name), "/media/USER"},
      {std::regex(R"(\b(MIG-GPU|GPU|MIG)-[0-9A-Fa-f]{2,}(-[0-9A-Fa-f]+)*(/\d+/\d+)?\b)"), "UUID"},
      {std::regex(R"([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"), "UUID"},
      {std::regex(R"(\b[0-9A-Fa-f]{32}\b)"), "UUID"},
      {std::regex(R"(([Ss]erial([ _-]?[Nn]umber)?["']?\s*[:=]\s*["']?)[0-9A-Za-z-]+)"), "$1NUMBER"},
  };
  for (const auto& [pattern, replacement] : patterns) text = std::regex_replace(text, pattern, replacement);
  return text;
}

}  // namespace

std::string anonymous(std::string_view text) {
  std::string result(text);
  const config::PersonalNames names = config::personal_names();
  for (const std::string& home : names.homes) result = without_folder(std::move(result), home);
  result = without_patterns(std::move(result));
  for (const std::string& user : names.users) {
    if (user != "root") result = without(std::move(result), user, "USER");  // which names no person
  }
  for (const std::string& host : names.hosts) result = without(std::move(result), host, "HOST");
  return result;
}

}  // namespace overtake
