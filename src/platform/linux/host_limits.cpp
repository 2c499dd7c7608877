// SPDX-License-Identifier: MIT
#include "platform/host_limits.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace overtake::platform {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// A number that is all of a file; nothing where there is no such file or it holds a word ("max").
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

/// The number behind a name: "MemAvailable:  123 kB", "inactive_file 123".
std::optional<std::uint64_t> number_of(const fs::path& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t digits = line.find_first_of("0123456789", name.size());
    if (digits != std::string::npos) return std::strtoull(line.c_str() + digits, nullptr, 10);
  }
  return std::nullopt;
}

/// The folders of this process' control group and of those round it, the innermost first. `controller` of version 1,
/// "" of version 2. In a container the outer ones are often not there to be read.
std::vector<fs::path> groups_of(const fs::path& root, std::string_view controller) {
  std::ifstream file(root / "proc/self/cgroup");
  std::vector<fs::path> folders;
  for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/a/b", "0::/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool found =
        controller.empty() ? names == ",," : names.find("," + std::string(controller) + ",") != std::string::npos;
    if (!found) continue;
    const fs::path base = root / "sys/fs/cgroup" / controller;
    fs::path inner = fs::path(line.substr(second + 1)).relative_path();
    for (; !inner.empty(); inner = inner.parent_path()) folders.push_back(base / inner);
    folders.push_back(base);
  }
  return folders;
}

/// What a group leaves: its limit less what it holds, but for the files in memory that it can drop.
MemoryLeft left_in(const fs::path& group, const char* limit_file, const char* usage_file, const char* droppable) {
  const auto limit = number_in(group / limit_file);
  if (!limit || *limit >= std::uint64_t{1} << 60) return {};  // version 1 writes a huge number for none
  const std::uint64_t usage = number_in(group / usage_file).value_or(0);
  const std::uint64_t cache = number_of(group / "memory.stat", droppable).value_or(0);
  const std::uint64_t held = usage - std::min(usage, cache);
  return {*limit - std::min(*limit, held), "the control group", *limit};
}

/// What a limit of this process leaves. `place`: of the number in statm that counts towards it, in pages.
std::uint64_t left_of(decltype(RLIMIT_AS) resource, int place, const fs::path& root) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  std::ifstream file(root / "proc/self/statm");
  std::uint64_t pages = 0;
  for (int i = 0; i <= place; ++i) file >> pages;
  const std::uint64_t held = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, held);
}

/// Cores that a quota of time in a period stands for.
double cores_of(double quota, double period) { return quota > 0 && period > 0 ? quota / period : INFINITY; }

double quota_of(const fs::path& root) {
  double cores = INFINITY;
  for (const fs::path& group : groups_of(root, "")) {
    std::ifstream file(group / "cpu.max");  // "150000 100000" or "max 100000"
    double quota = 0, period = 0;
    if (file >> quota >> period) cores = std::min(cores, cores_of(quota, period));
  }
  for (const fs::path& group : groups_of(root, "cpu")) {
    std::ifstream quota_file(group / "cpu.cfs_quota_us");  // -1: none
    std::ifstream period_file(group / "cpu.cfs_period_us");
    double quota = 0, period = 0;
    if (quota_file >> quota && period_file >> period) cores = std::min(cores, cores_of(quota, period));
  }
  return cores;
}

void take_smaller(MemoryLeft left, MemoryLeft& least) {
  if (left.bytes < least.bytes) least = left;
}

/// Of the computer and the control groups.
MemoryLeft left_of_computer(const fs::path& root) {
  MemoryLeft least;
  if (const auto available = number_of(root / "proc/meminfo", "MemAvailable:")) {
    take_smaller({*available * 1024, "the computer"}, least);
  }
  for (const fs::path& group : groups_of(root, "")) {
    take_smaller(left_in(group, "memory.max", "memory.current", "inactive_file"), least);
  }
  for (const fs::path& group : groups_of(root, "memory")) {
    take_smaller(left_in(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"), least);
  }
  return least;
}

}  // namespace

CoreLimits core_limits(const fs::path& root) {
  CoreLimits limits;
  limits.all = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  cpu_set_t set;
  CPU_ZERO(&set);
  limits.allowed = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : limits.all;
  const double quota = quota_of(root);
  limits.quota = std::isfinite(quota) ? quota : 0;
  return limits;
}

int usable_cores(const fs::path& root) {
  const CoreLimits limits = core_limits(root);
  const double allowed = limits.allowed;
  return static_cast<int>(std::max(1.0, limits.quota > 0 ? std::min(allowed, std::ceil(limits.quota)) : allowed));
}

MemoryLeft memory_left(const fs::path& root) {
  // Small work asks often, and the answer takes a dozen files: within a millisecond it changes by megabytes at most.
  struct Answer {
    Clock::time_point when;
    MemoryLeft left;
  };
  thread_local Answer last;
  const bool here = root == "/";
  const auto now = Clock::now();
  MemoryLeft least = last.left;
  if (!here || last.when == Clock::time_point() || now - last.when > std::chrono::milliseconds(1)) {
    least = left_of_computer(root);
    if (here) last = {now, least};
  }
  take_smaller({left_of(RLIMIT_AS, 0, root), "ulimit -v"}, least);
  take_smaller({left_of(RLIMIT_DATA, 5, root), "ulimit -d"}, least);
  return least;
}

std::uint64_t usable_memory(const fs::path& root) { return memory_left(root).bytes; }

bool has_address_space(std::size_t bytes) noexcept {
  // What may not be written does not count towards the limit of data; what may be counts as taken where the system
  // promises no more memory than it has.
  rlimit data{};
  const bool is_limited = ::getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur != RLIM_INFINITY;
  const int access = is_limited ? PROT_READ | PROT_WRITE : PROT_NONE;
  void* room = ::mmap(nullptr, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  ::munmap(room, bytes);
  return true;
}

bool can_open_files(int count) noexcept {
  std::array<int, 64> opened{};
  const int wanted = std::min(count, static_cast<int>(opened.size()));
  int open = 0;
  for (; open < wanted; ++open) {
    const int number = ::open("/", O_RDONLY | O_CLOEXEC);
    if (number < 0) break;
    opened.at(static_cast<std::size_t>(open)) = number;
  }
  for (int i = 0; i < open; ++i) ::close(opened.at(static_cast<std::size_t>(i)));
  return open == wanted;
}

std::string tight_limits() {
  constexpr rlim_t any = RLIM_INFINITY;
  struct Limit {
    decltype(RLIMIT_AS) resource;
    rlim_t enough;
    const char* name;
  };
  constexpr std::array limits{Limit{RLIMIT_FSIZE, any, "ulimit -f"},
                              Limit{RLIMIT_AS, any, "ulimit -v"},
                              Limit{RLIMIT_DATA, any, "ulimit -d"},
                              Limit{RLIMIT_CPU, any, "ulimit -t"},
                              Limit{RLIMIT_STACK, rlim_t{1} << 20U, "ulimit -s"},
                              Limit{RLIMIT_NOFILE, 128, "ulimit -n"}};
  std::string names;
  for (const auto& [resource, enough, name] : limits) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur >= enough) continue;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

std::string raised(const std::string& limits) {
  std::string text;
  for (std::size_t begin = 0; begin < limits.size();) {
    const std::size_t end = std::min(limits.find(", ", begin), limits.size());
    const std::string name = limits.substr(begin, end - begin);
    const char* enough = name.ends_with("-s") ? "8192" : name.ends_with("-n") ? "1024" : "unlimited";
    text += (text.empty() ? "" : ", ") + name + " " + enough;
    begin = end + 2;
  }
  return text;
}

}  // namespace overtake::platform
