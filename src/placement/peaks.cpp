// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/placement.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work, const Device& device) {
  const auto begin = Clock::now();
  work();
  device.synchronize();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The shortest of the runs that fit into `budget` seconds, after one that only warms up; at least three where one
/// takes less than the budget.
double best_seconds(const std::function<void()>& work, const Device& device, double budget) {
  seconds_of(work, device);
  double best = seconds_of(work, device);
  double spent = best;
  for (int runs = 1; spent < budget && (runs < 3 || spent + best < budget); ++runs) {
    const double seconds = seconds_of(work, device);
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

/// Square products of growing size: the largest that fits the time shows the rate best.
double measure_gflops(const Device& device, double budget) {
  double best = 0;
  for (std::int64_t n = 256; n <= 8192; n *= 2) {
    const Array a = full({n, n}, 0.5F, device);
    const Array b = full({n, n}, 0.25F, device);
    a.eval();
    b.eval();
    const double seconds = best_seconds([&] { matmul(a, b).eval(); }, device, budget / 4);
    const double size = static_cast<double>(n);
    best = std::max(best, 2 * size * size * size / seconds * 1e-9);
    // The next size takes eight times as long, at least twice.
    if (16 * seconds > budget) {
      break;
    }
  }
  return best;
}

/// Bytes of each of two arrays that no cache holds.
std::size_t array_bytes(const Device& device) {
  constexpr std::uint64_t most = std::uint64_t{1} << 28;
  constexpr std::uint64_t least = std::uint64_t{1} << 24;
  return static_cast<std::size_t>(std::clamp(device.info().memory_bytes / 16, least, most));
}

/// The faster of the backend's copy and an element-wise map.
double measure_gbs(const Device& device, double budget) {
  const std::size_t bytes = array_bytes(device);
  const Array x = full({static_cast<std::int64_t>(bytes / sizeof(float))}, 1.0F, device);
  x.eval();
  double best = best_seconds([&] { (x + x).eval(); }, device, budget / 2);
  backend::Device& impl = device.impl();
  const auto from = impl.allocate(bytes);
  const auto into = impl.allocate(bytes);
  best = std::min(best, best_seconds([&] { impl.copy(*from, 0, *into, 0, bytes); }, device, budget / 2));
  return 2 * static_cast<double>(bytes) / best * 1e-9;
}

constexpr std::uint32_t group_size = 256;
constexpr std::uint32_t groups_per_unit = 16;

backend::LaunchGeometry whole_device(const Device& device) {
  backend::LaunchGeometry geometry;
  geometry.groups[0] = groups_per_unit * static_cast<std::uint32_t>(std::max(1, device.info().compute_units));
  geometry.group_size[0] = group_size;
  return geometry;
}

/// Chains of fused multiply-adds in registers (kernels/peak.k). The launch grows until it takes about a quarter of the
/// budget.
double measure_fma(const Device& device, backend::Program& program, double budget) {
  constexpr double operations_per_round = 64 * 8 * 2;
  const auto kernel = program.kernel("peak_fma");
  const auto geometry = whole_device(device);
  const double items = static_cast<double>(geometry.groups[0]) * group_size;
  const auto out = device.impl().allocate(static_cast<std::size_t>(items) * sizeof(float));
  double best = 0;
  for (int rounds = 16; rounds <= (1 << 22);) {
    const backend::KernelArgument arguments[] = {out.get(), rounds, 0.999F, 0.001F};
    const double seconds = best_seconds([&] { kernel->launch(geometry, arguments); }, device, budget / 8);
    best = std::max(best, items * rounds * operations_per_round / seconds * 1e-9);
    if (4 * seconds > budget / 4) {
      break;
    }
    rounds *= 4;
  }
  return best;
}

double measure_copy_kernel(const Device& device, backend::Program& program, double budget) {
  constexpr std::size_t group_of_floats = 16;
  const std::size_t bytes = array_bytes(device) / group_of_floats * group_of_floats;
  const auto kernel = program.kernel("peak_copy");
  const auto from = device.impl().allocate(bytes);
  const auto into = device.impl().allocate(bytes);
  const backend::KernelArgument arguments[] = {from.get(), into.get(),
                                               narrow<std::int32_t>(bytes / group_of_floats, "the array to copy")};
  const auto geometry = whole_device(device);
  return 2 * static_cast<double>(bytes) / best_seconds([&] { kernel->launch(geometry, arguments); }, device, budget) *
         1e-9;
}

}  // namespace

MeasuredPeak measure_peak(const Device& device, double seconds) {
  if (!(seconds > 0)) {
    throw UsageError("measure_peak needs a positive time");
  }
  if (device.info().kind == DeviceKind::cpu) {
    return {measure_gflops(device, seconds / 2), measure_gbs(device, seconds / 2)};
  }
  // A device with kernels of its own: the better of them and of what the library's functions reach.
  const auto program = device.impl().build({.source = embedded::kernel_peak, .defines = {}, .name = "peak"});
  MeasuredPeak peak{measure_fma(device, *program, seconds / 4), measure_copy_kernel(device, *program, seconds / 4)};
  peak.gflops = std::max(peak.gflops, measure_gflops(device, seconds / 4));
  peak.gbs = std::max(peak.gbs, measure_gbs(device, seconds / 4));
  return peak;
}

}  // namespace overtake
