// SPDX-License-Identifier: MIT
#include "platform/surroundings.hpp"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

namespace overtake::platform {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// The text of a file in small letters.
std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

bool is_marked_deleted(const std::string& path) { return path.ends_with(" (deleted)"); }

/// A field of this user's entry in the system's list of users; empty where there is none.
std::string of_this_user(char* passwd::*field) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> room{};
  const int error = ::getpwuid_r(::getuid(), &entry, room.data(), room.size(), &found);
  return error == 0 && found != nullptr && entry.*field != nullptr ? entry.*field : "";
}

}  // namespace

std::string container_kind(const fs::path& root) {
  constexpr std::array marks{std::pair{"kubepods", "kubernetes"}, std::pair{"docker", "docker"},
                             std::pair{"libpod", "podman"}, std::pair{"/lxc", "lxc"},
                             std::pair{"containerd", "container"}};
  const std::string groups = text_of(root / "proc/self/cgroup");
  for (const auto& [mark, kind] : marks) {
    if (groups.find(mark) != std::string::npos) return kind;
  }
  if (is_there(root / ".dockerenv")) return "docker";
  if (is_there(root / "run/.containerenv")) return "podman";
  if (is_there(root / ".singularity.d")) return "singularity";
  if (text_of(root / "proc/version").find("microsoft") == std::string::npos) return {};
  // Version 1 has no kernel of its own, and no device for the GPU.
  return is_there(root / "dev/dxg") || text_of(root / "proc/version").find("wsl2") != std::string::npos ? "wsl2"
                                                                                                        : "wsl1";
}

std::uint64_t locked_memory_limit() noexcept {
  constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return none;
  return limit.rlim_cur;
}

std::vector<fs::path> loaded_files(const fs::path& root) {
  std::ifstream maps(root / "proc/self/maps");
  std::vector<fs::path> files;
  for (std::string line; std::getline(maps, line);) {  // "7f..-7f.. r-xp 00001000 08:01 123   /usr/lib/libx.so"
    const std::size_t space = line.find(' ');
    const std::size_t slash = line.find('/');
    if (space == std::string::npos || slash == std::string::npos || line.size() < space + 5) continue;
    const std::string path = line.substr(slash);
    if (line[space + 3] != 'x' || is_marked_deleted(path)) continue;
    if (std::find(files.begin(), files.end(), path) == files.end()) files.emplace_back(path);
  }
  return files;
}

std::string user_name() { return of_this_user(&passwd::pw_name); }

std::string home_folder() { return of_this_user(&passwd::pw_dir); }

std::string computer_name() {
  utsname computer{};
  return ::uname(&computer) == 0 ? computer.nodename : "";
}

}  // namespace overtake::platform
