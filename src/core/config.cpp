// SPDX-License-Identifier: MIT
#include "core/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "overtake/error.hpp"

namespace overtake::config {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

/// 0 for all cores; nothing for a text that is no number of threads.
std::optional<int> parse_threads(const std::string& text) {
  if (text.empty()) return 0;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most_threads)
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::filesystem::path> cache_directory() {
  if (auto chosen = variable("OVERTAKE_CACHE_DIR")) {
    if (chosen->empty()) return std::nullopt;
    return std::filesystem::path(*chosen);
  }
  if (auto base = variable("XDG_CACHE_HOME"); base && !base->empty()) return std::filesystem::path(*base) / "overtake";
  if (auto home = variable("HOME"); home && !home->empty()) return std::filesystem::path(*home) / ".cache" / "overtake";
  return std::nullopt;
}

std::vector<std::filesystem::path> library_paths() {
  std::vector<std::filesystem::path> paths;
  const std::string text = variable("OVERTAKE_LIBRARY_PATH").value_or("");
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) paths.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

int threads() { return parse_threads(variable("OVERTAKE_THREADS").value_or("")).value_or(0); }

void check() {
  const std::string text = variable("OVERTAKE_THREADS").value_or("");
  if (parse_threads(text)) return;
  throw UsageError(
      fmt::format("OVERTAKE_THREADS is \"{}\" in the environment; expected a whole number from 0 (all cores) to {}",
                  text, most_threads),
      "Correct it, or \"unset OVERTAKE_THREADS\".");
}

}  // namespace overtake::config
