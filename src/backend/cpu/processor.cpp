// SPDX-License-Identifier: MIT
#include "backend/cpu/processor.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/vector_math.hpp"
#include "core/host_limits.hpp"

namespace overtake::backend::cpu {
namespace {

struct CpuInfoFile {
  std::string model = "CPU";
  double highest_mhz = 0;
  int family = 0;  ///< of x86 processors
};

/// Makes the compiler forget what it knows of a number.
inline void hide(std::uint64_t& number) { asm volatile("" : "+r"(number)); }

CpuInfoFile read_cpuinfo() {
  CpuInfoFile result;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) result.model = value;
    if (line.starts_with("cpu family")) result.family = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
    if (line.starts_with("cpu MHz"))
      result.highest_mhz = std::max(result.highest_mhz, std::strtod(value.c_str(), nullptr));
  }
  return result;
}

double cpufreq_mhz() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
  double khz = 0;
  return file >> khz ? khz / 1e3 : 0;
}

/// The clock that a busy core runs at, from a chain of additions: each waits for the one before, for one cycle. The
/// best of many short runs, so that other programs do not matter; 2 ms in all.
double measure_mhz() {
  using Clock = std::chrono::steady_clock;
  constexpr int runs = 60;
  constexpr int additions = 1 << 17;
  std::uint64_t sum = 0, step = 3;
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    hide(step);  // some processors add known small numbers in no time
    const auto begin = Clock::now();
    for (int i = 0; i < additions / 8; ++i) {
      sum += step, hide(sum), sum += step, hide(sum), sum += step, hide(sum), sum += step, hide(sum);
      sum += step, hide(sum), sum += step, hide(sum), sum += step, hide(sum), sum += step, hide(sum);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, additions / seconds * 1e-6);
  }
  return std::floor(best);
}

struct CpuClock {
  double mhz = 0;
  const char* origin = "";
};

/// The highest clock that anybody names. The system often names the base clock, and then the measured one is higher;
/// a difference of 2 % is noise.
CpuClock highest_clock(double cpuinfo_mhz) {
  CpuClock clock{cpuinfo_mhz, "cpuinfo"};
  if (const double mhz = cpufreq_mhz(); mhz >= clock.mhz) clock = {mhz, "cpufreq"};
  static const double measured = measure_mhz();
  if (measured > 1.02 * clock.mhz) clock = {measured, "measured"};
  return clock;
}

/// Float32 multiply-adds a cycle and core. AMD's Zen 4 (family 25) runs 512-bit instructions as two halves, so AVX-512
/// is no faster there than AVX2 (Software Optimization Guide for the Zen4 Microarchitecture, 2.11).
int fused_multiply_adds(const CpuInfoFile& file) {
  constexpr int zen_3_and_4 = 25;
  const int told = fused_multiply_adds_per_cycle();
  return file.family == zen_3_and_4 ? std::min(told, 16) : told;
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

DeviceInfo describe_processor() {
  DeviceInfo info;
  const CpuInfoFile file = read_cpuinfo();
  const std::string library = matmul_library();
  info.id = "cpu";
  info.backend = "cpu";
  info.name = file.model;
  info.driver = library.empty() ? instruction_set() : fmt::format("{}, {}", instruction_set(), library);
  info.memory_bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  info.compute_units = host::usable_cores();
  const CpuClock clock = highest_clock(file.highest_mhz);
  info.clock_mhz = clock.mhz;
  info.clock_origin = clock.origin;
  const int cores = std::max(1, std::min(physical_cores(allowed_cpus()), info.compute_units));
  info.peak_gflops = 2.0 * cores * fused_multiply_adds(file) * info.clock_mhz / 1e3;
  return info;
}

}  // namespace overtake::backend::cpu
