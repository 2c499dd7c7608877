// SPDX-License-Identifier: MIT
// Where a name leads that something is to be written to.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "data/message.hpp"
#include "overtake/data_file.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // as Linux

/// The number in "/dev/fd/3", "/proc/self/fd/3" or "/proc/PID/fd/3".
std::optional<int> number_in(const fs::path& path) {
  const std::string folder = path.parent_path().lexically_normal().string();
  if (folder != "/dev/fd" && folder != "/proc/self/fd" && folder != fmt::format("/proc/{}/fd", ::getpid())) return {};
  const std::string digits = path.filename().string();
  int number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return {};
  return number;
}

/// One link further; nothing where `path` is no link.
std::optional<fs::path> next_link(const fs::path& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  if (error) return {};
  return target.is_absolute() ? target : path.parent_path() / target;
}

}  // namespace

std::optional<int> descriptor_named(const fs::path& path) {
  fs::path current = path;
  for (int links = 0; links < most_links; ++links) {
    // By their text first: these names are understood where /dev is empty, too.
    const std::string text = current.lexically_normal().string();
    if (text == "/dev/stdin") return STDIN_FILENO;
    if (text == "/dev/stdout") return STDOUT_FILENO;
    if (text == "/dev/stderr") return STDERR_FILENO;
    if (const std::optional<int> number = number_in(current)) return number;
    std::error_code ignored;
    const fs::path folder = fs::canonical(current.has_parent_path() ? current.parent_path() : fs::path("."), ignored);
    if (const std::optional<int> number = number_in(folder / current.filename())) return number;
    const std::optional<fs::path> next = next_link(current);
    if (!next) return {};
    current = *next;
  }
  return {};
}

fs::path link_target(const fs::path& path) {
  fs::path current = path;
  for (int links = 0; links <= most_links; ++links) {
    const std::optional<fs::path> next = next_link(current);
    if (!next) return current;
    current = *next;
  }
  throw DataError(fmt::format("cannot write {}: {}", path.string(), data::os_error(ELOOP)),
                  "Give the name of a file that is no link.");
}

}  // namespace overtake
