// SPDX-License-Identifier: MIT
#include "backend/cpu/processor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/vector_math.hpp"
#include "platform/computer.hpp"
#include "platform/host_limits.hpp"

namespace overtake::backend::cpu {
namespace {

/// Makes the compiler forget what it knows of a number.
inline void hide(std::uint64_t& number) { asm volatile("" : "+r"(number)); }

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

/// The highest clock that anybody names. The system often names the base clock, and then the measured one is higher;
/// a difference of 2 % is noise.
platform::NamedClock highest_clock() {
  const platform::NamedClock named = platform::processor_clock();
  static const double measured = measure_mhz();
  return measured > 1.02 * named.mhz ? platform::NamedClock{measured, "measured"} : named;
}

/// Float32 multiply-adds a cycle and core. AMD's Zen 4 (family 25) runs 512-bit instructions as two halves, so AVX-512
/// is no faster there than AVX2 (Software Optimization Guide for the Zen4 Microarchitecture, 2.11).
int fused_multiply_adds() {
  constexpr int zen_3_and_4 = 25;
  const int told = fused_multiply_adds_per_cycle();
  return platform::processor_family() == zen_3_and_4 ? std::min(told, 16) : told;
}

}  // namespace

DeviceInfo describe_processor() {
  DeviceInfo info;
  const std::string model = platform::processor_name();
  const std::string library = matmul_library();
  info.id = "cpu";
  info.backend = "cpu";
  info.kind = DeviceKind::cpu;
  info.name = model.empty() ? "CPU" : model;
  info.driver = library.empty() ? instruction_set() : fmt::format("{}, {}", instruction_set(), library);
  info.memory_bytes = platform::physical_memory();
  info.compute_units = platform::usable_cores();
  const platform::NamedClock clock = highest_clock();
  info.clock_mhz = clock.mhz;
  info.clock_origin = clock.source;
  const int cores = std::max(1, std::min(platform::physical_cores(), info.compute_units));
  info.peak_gflops = 2.0 * cores * fused_multiply_adds() * info.clock_mhz / 1e3;
  return info;
}

}  // namespace overtake::backend::cpu
