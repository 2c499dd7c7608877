// SPDX-License-Identifier: MIT
// What this process may use of the computer, which is often less than the computer has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace overtake::platform {

/// Cores this process can keep busy at once: its cpu affinity, and the quota of its control groups (version 1 or 2,
/// rounded up to whole cores). At least 1. `root`: the folder that
/// Linux' /proc and /sys are looked for in.
[[nodiscard]] int usable_cores(const std::filesystem::path& root = "/");

/// Hardware threads of the computer, and what holds this process back from them.
struct CoreLimits {
  int all = 1;
  int allowed = 1;   ///< by the cpu affinity
  double quota = 0;  ///< cores' worth of time by the quota of control groups, not rounded; 0: none
};
/// `root` as above.
[[nodiscard]] CoreLimits core_limits(const std::filesystem::path& root = "/");

/// usable_memory() of a system that says nothing.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// Bytes this process can still take: the least of what the system has available (MemAvailable), of what each of its
/// control groups has left (version 1 or 2; what the page cache can give back counts as left) and of its limits of
/// address space (ulimit -v) and of data (ulimit -d). Swap does not count. `root` as above.
[[nodiscard]] std::uint64_t usable_memory(const std::filesystem::path& root = "/");

/// The same, with what leaves so little: "the computer", "the control group", "ulimit -v", "ulimit -d"; "" where
/// nothing is known.
struct MemoryLeft {
  std::uint64_t bytes = unlimited;
  const char* by = "";
  std::uint64_t limit = 0;  ///< of the control group; 0: of something else
};
[[nodiscard]] MemoryLeft memory_left(const std::filesystem::path& root = "/");

/// True if this process can map `bytes` more, which it tries: the limits of address space and of data (ulimit -v, -d)
/// have a say, the memory that there is has none.
[[nodiscard]] bool has_address_space(std::size_t bytes) noexcept;

/// True if this process can open `count` more files at once (ulimit -n), which it tries.
[[nodiscard]] bool can_open_files(int count) noexcept;

/// Limits under which programs fail that work elsewhere, as the shell calls them ("ulimit -f, ulimit -s"): of the size
/// of files, of address space and data, of processor time, a small stack, few open files. Empty where there are none.
[[nodiscard]] std::string tight_limits();

/// How a shell raises limits of those names: "ulimit -f unlimited, ulimit -s 8192".
[[nodiscard]] std::string raised(const std::string& limits);

}  // namespace overtake::platform
