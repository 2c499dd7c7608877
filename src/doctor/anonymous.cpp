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

/// Replaces a name where it stands as a word of its own.
std::string without(std::string text, const std::string& name, const std::string& replacement) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    const std::size_t end = at + name.size();
    const bool is_part = (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (is_part) {
      at = end;
      continue;
    }
    text.replace(at, name.size(), replacement);
    at += replacement.size();
  }
  return text;
}

}  // namespace

std::string anonymous(std::string_view text) {
  std::string result(text);
  const config::PersonalNames names = config::personal_names();
  if (names.home.size() > 1) result = without(std::move(result), names.home, "~");
  static const std::vector<std::pair<std::regex, const char*>> patterns = {
      {std::regex(R"(/(home|Users)/[^/\s"':,;)]+)"), "/$1/USER"},
      {std::regex(R"((GPU-|MIG-)?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"), "UUID"},
      {std::regex(R"(([Ss]erial([ _-]?[Nn]umber)?["']?\s*[:=]\s*["']?)[0-9A-Za-z-]+)"), "$1NUMBER"},
  };
  for (const auto& [pattern, replacement] : patterns) result = std::regex_replace(result, pattern, replacement);
  // "root" names no person, and is part of many messages.
  for (const std::string& user : names.users) {
    if (user != "root") result = without(std::move(result), user, "USER");
  }
  for (const std::string& host : names.hosts) result = without(std::move(result), host, "HOST");
  return result;
}

}  // namespace overtake
