// SPDX-License-Identifier: MIT
#include "platform/held_memory.hpp"

#include <malloc.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace overtake::platform {
namespace {

/// "VmHWM:      5128 kB" of /proc/self/status.
std::uint64_t status_bytes(const std::filesystem::path& root, std::string_view name) {
  std::ifstream file(root / "proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

void return_free_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

std::uint64_t held_memory(const std::filesystem::path& root) { return status_bytes(root, "VmRSS:"); }

std::uint64_t peak_memory(const std::filesystem::path& root) { return status_bytes(root, "VmHWM:"); }

}  // namespace overtake::platform
