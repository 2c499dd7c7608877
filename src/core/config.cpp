// SPDX-License-Identifier: MIT
#include "core/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include "overtake/error.hpp"

namespace overtake::config {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

/// The folders of a variable that separates them by colons, empty ones left out.
std::vector<std::filesystem::path> folders(const char* name) {
  std::vector<std::filesystem::path> paths;
  const std::string text = variable(name).value_or("");
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) paths.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

/// A relative prefix would depend on the working directory, which is no place for libraries.
void add_once(std::vector<std::filesystem::path>& paths, const std::filesystem::path& path) {
  if (path.is_absolute() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
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

std::vector<std::filesystem::path> library_paths() { return folders("OVERTAKE_LIBRARY_PATH"); }

bool vendor_libraries() { return variable("OVERTAKE_VENDOR_LIBRARIES") != "no"; }

std::vector<std::filesystem::path> cuda_toolkits() {
  std::vector<std::filesystem::path> toolkits;
  for (const char* name : {"CUDA_PATH", "CUDA_HOME"}) add_once(toolkits, variable(name).value_or(""));
  return toolkits;
}

std::vector<std::filesystem::path> python_prefixes() {
  std::vector<std::filesystem::path> prefixes;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) add_once(prefixes, variable(name).value_or(""));
  for (const std::filesystem::path& folder : folders("PATH")) {
    std::error_code unreadable;
    if (std::filesystem::exists(folder / "python3", unreadable)) {
      add_once(prefixes, (folder / "..").lexically_normal().parent_path());
    }
  }
  if (const auto home = variable("HOME")) add_once(prefixes, std::filesystem::path(*home) / ".local");
  return prefixes;
}

int threads() { return parse_threads(variable("OVERTAKE_THREADS").value_or("")).value_or(0); }

void check() {
  if (const std::string text = variable("OVERTAKE_THREADS").value_or(""); !parse_threads(text)) {
    throw UsageError(
        fmt::format("OVERTAKE_THREADS is \"{}\" in the environment; expected a whole number from 0 (all cores) to {}",
                    text, most_threads),
        "Correct it, or \"unset OVERTAKE_THREADS\".");
  }
  const std::string text = variable("OVERTAKE_VENDOR_LIBRARIES").value_or("");
  if (!text.empty() && text != "yes" && text != "no") {
    throw UsageError(fmt::format("OVERTAKE_VENDOR_LIBRARIES is \"{}\" in the environment; expected yes or no", text),
                     "Correct it, or \"unset OVERTAKE_VENDOR_LIBRARIES\".");
  }
}

}  // namespace overtake::config
