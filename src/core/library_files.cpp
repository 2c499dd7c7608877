// SPDX-License-Identifier: MIT
#include "core/library_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// Where a file says for which machine it is: byte 4 of an ELF file is its class, bytes 18 and 19 the machine.
std::string machine_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 20> head{};
  if (!file.read(head.data(), head.size()) || std::string_view(head.data(), 4) !=
                                                  "\x7f"
                                                  "ELF")
    return {};
  return {head[4], head[18], head[19]};
}

/// Where the loader looks by itself; Debian's has a folder for each architecture, too.
std::vector<fs::path> usual_folders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const char* base : {"lib", "usr/lib"}) {
    for (const char* machine :
         {"x86_64-linux-gnu", "aarch64-linux-gnu", "powerpc64le-linux-gnu", "riscv64-linux-gnu"}) {
      folders.push_back(root / base / machine);
    }
  }
  for (const char* folder : {"lib64", "usr/lib64", "lib", "usr/lib"}) folders.push_back(root / folder);
  return folders;
}

/// Each file once, in the order in which the loader looks.
std::vector<PlacedLibrary> find_files(std::string_view name, const fs::path& root) {
  std::vector<PlacedLibrary> candidates;
  if (name.find('/') != std::string_view::npos) {
    candidates.push_back({name, "named"});
  } else {
    for (const auto& folder : config::library_paths()) candidates.push_back({folder / name, "OVERTAKE_LIBRARY_PATH"});
    for (const auto& folder : config::loader_paths()) candidates.push_back({folder / name, "LD_LIBRARY_PATH"});
    for (const fs::path& path : in_loader_cache(name, root)) candidates.push_back({path, "the loader's cache"});
    for (const fs::path& folder : usual_folders(root)) candidates.push_back({folder / name, "a usual folder"});
  }
  std::vector<PlacedLibrary> found;
  for (PlacedLibrary& candidate : candidates) {
    std::error_code error;
    if (!fs::is_regular_file(candidate.path, error) || error) continue;
    const bool known = std::any_of(found.begin(), found.end(), [&](const PlacedLibrary& other) {
      std::error_code trouble;
      return fs::equivalent(candidate.path, other.path, trouble);
    });
    if (!known) found.push_back(std::move(candidate));
  }
  return found;
}

}  // namespace

std::vector<fs::path> library_files(std::string_view name, const fs::path& root) {
  std::vector<fs::path> paths;
  for (PlacedLibrary& file : find_files(name, root)) paths.push_back(std::move(file.path));
  return paths;
}

std::vector<PlacedLibrary> placed_library_files(std::string_view name, const fs::path& root) {
  std::vector<PlacedLibrary> files = find_files(name, root);
  std::erase_if(files, [](const PlacedLibrary& file) { return is_foreign_library(file.path); });
  return files;
}

fs::path trap_for(std::string_view name) {
  if (name.empty()) return {};
  std::vector<fs::path> places{name};
  if (name.find('/') == std::string_view::npos) {
    places.clear();
    for (const fs::path& folder : config::loader_paths()) places.push_back(folder / name);
  }
  for (const fs::path& place : places) {
    std::error_code error;
    const fs::file_type type = fs::status(place, error).type();
    if (type == fs::file_type::regular) return {};
    if (type == fs::file_type::fifo || type == fs::file_type::character || type == fs::file_type::block) return place;
  }
  return {};
}

bool is_foreign_library(const fs::path& path) {
  const std::string machine = machine_of(path);
  static const std::string own = machine_of("/proc/self/exe");
  return !machine.empty() && !own.empty() && machine != own;
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
