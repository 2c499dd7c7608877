// SPDX-License-Identifier: MIT
#include "platform/computer.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>

namespace overtake::platform {

namespace {

/// The value of the first line "key<separator>value" of a text file; empty when there is none.
std::string value_in_file(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || !line.starts_with(key)) continue;
    std::string value = line.substr(at + 1);
    value.erase(0, value.find_first_not_of(" \t\""));
    value.erase(value.find_last_not_of(" \t\"") + 1);
    return value;
  }
  return {};
}

/// The highest clock of any core at this moment.
double cpuinfo_mhz() {
  double highest = 0;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos || !line.starts_with("cpu MHz")) continue;
    highest = std::max(highest, std::strtod(line.c_str() + colon + 2, nullptr));
  }
  return highest;
}

double cpufreq_mhz() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  double khz = 0;
  return file >> khz ? khz / 1e3 : 0;
}

cpu_set_t allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) CPU_SET(0, &set);
  return set;
}

}  // namespace

std::string processor_name() { return value_in_file("/proc/cpuinfo", "model name", ':'); }

std::string processor_features() {
  const std::string flags = value_in_file("/proc/cpuinfo", "flags", ':');
  return flags.empty() ? value_in_file("/proc/cpuinfo", "Features", ':') : flags;
}

int processor_family() {
  return static_cast<int>(std::strtol(value_in_file("/proc/cpuinfo", "cpu family", ':').c_str(), nullptr, 10));
}

NamedClock processor_clock() {
  const NamedClock now{cpuinfo_mhz(), "cpuinfo"};
  const NamedClock highest{cpufreq_mhz(), "cpufreq"};
  return highest.mhz >= now.mhz ? highest : now;
}

int physical_cores() {
  const cpu_set_t allowed = allowed_processors();
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
    int package = 0, core = cpu;
    std::ifstream(folder + "physical_package_id") >> package;
    std::ifstream(folder + "core_id") >> core;
    cores.emplace(package, core);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

std::uint64_t physical_memory() noexcept {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || page_bytes <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
}

std::string operating_system() {
  std::string name = value_in_file("/etc/os-release", "PRETTY_NAME", '=');
  utsname kernel{};
  if (::uname(&kernel) != 0) return name;
  return (name.empty() ? "" : name + ", ") + kernel.sysname + " " + kernel.release + " " + kernel.machine;
}

}  // namespace overtake::platform
