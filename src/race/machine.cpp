// SPDX-License-Identifier: MIT
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string>
#include <string_view>

#include "core/host_limits.hpp"
#include "overtake/race.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

/// The value of the first line "key<separator>value" of a text file; empty when there is none.
std::string value_in_file(const char* path, std::string_view key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || !line.starts_with(key)) {
      continue;
    }
    std::string value = line.substr(at + 1);
    value.erase(0, value.find_first_not_of(" \t\""));
    value.erase(value.find_last_not_of(" \t\"") + 1);
    return value;
  }
  return {};
}

std::string operating_system() {
  std::string name = value_in_file("/etc/os-release", "PRETTY_NAME", '=');
  utsname kernel{};
  if (uname(&kernel) != 0) {
    return name;
  }
  return (name.empty() ? "" : name + ", ") + kernel.sysname + " " + kernel.release + " " + kernel.machine;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.cpu = value_in_file("/proc/cpuinfo", "model name", ':');
  machine.cores = host::usable_cores();
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page_bytes > 0) {
    machine.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
  }
  machine.os = operating_system();
  machine.version = version();
  return machine;
}

bool is_gpu(const DeviceInfo& info) {
  if (info.backend == "cuda") {
    return true;
  }
  if (info.backend != "opencl") {
    return false;
  }
  // The contract has no device type; OpenCL on a CPU shows it in its name or its driver.
  const std::string text = lower(info.name + " " + info.driver);
  constexpr std::array<std::string_view, 8> cpu_words = {
      "pocl", "portable computing", "pthread", "llvmpipe", "cpu", "xeon", "epyc", "ryzen"};
  return std::none_of(cpu_words.begin(), cpu_words.end(),
                      [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace overtake
