// SPDX-License-Identifier: MIT
#include "core/library_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/config.hpp"

namespace overtake::detail {
namespace {

namespace fs = std::filesystem;

/// The paths in the loader's cache whose last part is `name`. Its strings end with a zero byte, in every format of it.
std::vector<fs::path> in_loader_cache(std::string_view name, const fs::path& root) {
  std::ifstream file(root / "etc/ld.so.cache", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string ending = fmt::format("/{}", name) + '\0';
  std::vector<fs::path> paths;
  for (std::size_t at = bytes.find(ending); at != std::string::npos; at = bytes.find(ending, at + 1)) {
    const std::size_t before = bytes.rfind('\0', at);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    if (bytes[begin] == '/') paths.emplace_back(bytes.substr(begin, at + ending.size() - 1 - begin));
  }
  return paths;
}

}  // namespace

std::vector<fs::path> library_files(std::string_view name, const fs::path& root) {
  std::vector<fs::path> candidates;
  if (name.find('/') != std::string_view::npos) {
    candidates.emplace_back(name);
  } else {
    for (const auto& folder : config::library_paths()) candidates.push_back(folder / name);
    for (const auto& folder : config::loader_paths()) candidates.push_back(folder / name);
    for (const fs::path& path : in_loader_cache(name, root)) candidates.push_back(path);
    for (const char* folder : {"lib64", "usr/lib64", "lib", "usr/lib"}) candidates.push_back(root / folder / name);
  }
  std::vector<fs::path> found;
  for (const fs::path& path : candidates) {
    std::error_code error;
    if (!fs::exists(path, error) || error) continue;
    const bool known = std::any_of(found.begin(), found.end(), [&](const fs::path& other) {
      std::error_code trouble;
      return fs::equivalent(path, other, trouble);
    });
    if (!known) found.push_back(path);
  }
  return found;
}

std::string file_stamp(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return fmt::format("{}: none", path.string());
  const auto size = fs::file_size(real, error);
  if (error) return fmt::format("{}: none", path.string());
  const auto changed = fs::last_write_time(real, error);
  return fmt::format("{}: {} bytes, {}", real.string(), size, error ? 0 : changed.time_since_epoch().count());
}

}  // namespace overtake::detail
