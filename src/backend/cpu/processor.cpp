// SPDX-License-Identifier: MIT
#include "backend/cpu/processor.hpp"

#include <dnnl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

struct CpuInfoFile {
  std::string model = "CPU";
  double highest_mhz = 0;
};

CpuInfoFile read_cpuinfo() {
  CpuInfoFile result;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) result.model = value;
    if (line.starts_with("cpu MHz"))
      result.highest_mhz = std::max(result.highest_mhz, std::strtod(value.c_str(), nullptr));
  }
  return result;
}

double maximum_mhz(double fallback) {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  double khz = 0;
  return file >> khz && khz > 0 ? khz / 1e3 : fallback;
}

// Hardware threads of one core share its arithmetic units: the peak counts cores.
int physical_cores(const cpu_set_t& allowed) {
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
    int package = 0, core = cpu;
    std::ifstream(folder + "physical_package_id") >> package;
    std::ifstream(folder + "core_id") >> core;
    cores.emplace(package, core);
  }
  return static_cast<int>(cores.size());
}

cpu_set_t allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) CPU_SET(0, &set);
  return set;
}

}  // namespace

int available_cores() {
  const cpu_set_t set = allowed_cpus();
  return std::max(1, CPU_COUNT(&set));
}

DeviceInfo describe_processor() {
  DeviceInfo info;
  const CpuInfoFile file = read_cpuinfo();
  const dnnl_version_t* library = dnnl_version();
  info.id = "cpu";
  info.backend = "cpu";
  info.name = file.model;
  info.driver = fmt::format("{}, oneDNN {}.{}.{}", instruction_set(), library->major, library->minor, library->patch);
  info.memory_bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  info.compute_units = available_cores();
  info.clock_mhz = maximum_mhz(file.highest_mhz);
  const int cores = std::max(1, physical_cores(allowed_cpus()));
  info.peak_gflops = 2.0 * cores * fused_multiply_adds_per_cycle() * info.clock_mhz / 1e3;
  return info;
}

}  // namespace overtake::backend::cpu
