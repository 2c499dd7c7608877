// SPDX-License-Identifier: MIT
// Where a name leads that something is to be written to.
#include <fmt/format.h>

#include <system_error>

#include "overtake/data/file.hpp"
#include "overtake/error.hpp"
#include "platform/stream.hpp"

namespace overtake {

namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // as Linux

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
    if (const std::optional<int> number = platform::stream_named(current)) return number;
    std::error_code ignored;
    const fs::path folder = fs::canonical(current.has_parent_path() ? current.parent_path() : fs::path("."), ignored);
    if (const std::optional<int> number = platform::stream_named(folder / current.filename())) return number;
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
  throw DataError(fmt::format("cannot write {}: {}", path.string(),
                              std::make_error_code(std::errc::too_many_symbolic_link_levels).message()),
                  "Give the name of a file that is no link.");
}

}  // namespace overtake
