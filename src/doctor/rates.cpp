// SPDX-License-Identifier: MIT
#include "doctor/rates.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string_view>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"

namespace overtake::doctor {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<void()>;

constexpr double short_time = 0.03;  // seconds for one rate
constexpr double peak_time = 0.12;   // for float32 and bandwidth together

double seconds_of(const Device& device, const Work& work) {
  const auto begin = Clock::now();
  work();
  device.synchronize();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The shortest run that fits into the time, after one that warms up.
double best_seconds(const Device& device, const Work& work, double budget = short_time) {
  double spent = seconds_of(device, work);
  double best = std::numeric_limits<double>::infinity();
  for (int runs = 0; runs < 2 || (spent < budget && runs < 100); ++runs) {
    const double seconds = seconds_of(device, work);
    best = std::min(best, seconds);
    spent += seconds;
    if (spent > 10 * budget) break;
  }
  return best;
}

constexpr std::uint32_t group_size = 256;

backend::LaunchGeometry one_group() {
  backend::LaunchGeometry geometry;
  geometry.group_size[0] = group_size;
  return geometry;
}

double launch_microseconds(const Device& device, backend::Program& program) {
  const auto kernel = program.kernel("peak_nothing");
  const auto out = device.impl().allocate(sizeof(float));
  const backend::KernelArgument arguments[] = {out.get(), std::int32_t{0}};
  constexpr int launches = 200;
  const Work work = [&] {
    for (int i = 0; i < launches; ++i) kernel->launch(one_group(), arguments);
  };
  return best_seconds(device, work) / launches * 1e6;
}

void measure_transfers(const Device& device, DeviceRates& rates) {
  constexpr std::size_t bytes = std::size_t{32} << 20U;
  const std::unique_ptr<std::byte[]> host = std::make_unique<std::byte[]>(bytes);
  const auto buffer = device.impl().allocate(bytes);
  constexpr double giga = static_cast<double>(bytes) * 1e-9;
  rates.upload_gbs = giga / best_seconds(device, [&] { device.impl().upload(*buffer, 0, host.get(), bytes); });
  rates.download_gbs = giga / best_seconds(device, [&] { device.impl().download(*buffer, 0, host.get(), bytes); });
}

/// Chains of multiply-adds in registers, longer and longer until one takes long enough to measure.
double chain_gflops(const Device& device) {
  constexpr double operations_per_round = 64 * 8 * 2;  // as kernels/peak_double.k has them
  constexpr std::uint32_t groups_per_unit = 8;
  const auto program =
      device.impl().build({.source = embedded::kernel_peak_double, .defines = {}, .name = "peak_double"});
  const auto kernel = program->kernel("peak_fma_double");
  backend::LaunchGeometry geometry = one_group();
  geometry.groups[0] = groups_per_unit * static_cast<std::uint32_t>(std::max(1, device.info().compute_units));
  const double items = static_cast<double>(geometry.groups[0]) * group_size;
  const auto out = device.impl().allocate(sizeof(double));
  double best = 0;
  for (std::int32_t rounds = 1; rounds <= (1 << 16); rounds *= 4) {
    const backend::KernelArgument arguments[] = {out.get(), rounds, 0.999F, 0.001F};
    const double seconds = best_seconds(
        device, [&] { kernel->launch(geometry, arguments); }, short_time / 3);
    best = std::max(best, items * rounds * operations_per_round / seconds * 1e-9);
    if (seconds > short_time / 6) break;
  }
  return best;
}

double probe_gflops(const Device& device, std::string_view format) {
  const backend::RateProbe probe = device.impl().probe(format);
  return probe.run ? probe.operations / best_seconds(device, probe.run) * 1e-9 : 0;
}

/// Kernels that show what the device is able to; null on the CPU, which compiles none.
std::unique_ptr<backend::Program> peak_kernels(const Device& device) {
  if (device.impl().is_host()) return nullptr;
  return device.impl().build({.source = embedded::kernel_peak, .defines = {}, .name = "peak"});
}

double measure_precision(const Device& device, const std::string& name) {
  const double gflops = probe_gflops(device, name);
  const bool has_chain = name == "fp64" && !device.impl().is_host() && device.info().double_precision;
  return has_chain ? std::max(gflops, chain_gflops(device)) : gflops;
}

}  // namespace

DeviceRates measure_rates(const Device& device, const std::vector<PrecisionRate>& peaks,
                          const std::function<void(const std::string&)>& told, const std::function<bool()>& stop) {
  DeviceRates rates;
  const auto attempt = [&](const std::string& what, const Work& work) {
    if (stop()) return;
    told(what);
    try {
      work();
    } catch (const DeviceError&) {  // no memory for it: not measured
    }
  };
  std::unique_ptr<backend::Program> program;
  attempt("launches", [&] {
    program = peak_kernels(device);
    if (program) rates.launch_microseconds = launch_microseconds(device, *program);
  });
  if (program) attempt("copies", [&] { measure_transfers(device, rates); });
  rates.peak_copy_gbs = device.info().peak_gbs;
  PrecisionRate single{"fp32", 0, device.info().peak_gflops};
  attempt("its peak", [&] {
    const MeasuredPeak peak = measure_peak(device, peak_time);
    single.measured_gflops = peak.gflops;
    rates.copy_gbs = peak.gbs;
  });
  rates.precisions.push_back(single);
  std::vector<PrecisionRate> others = peaks;
  const bool has_fp64 = std::any_of(others.begin(), others.end(), [](const auto& one) { return one.name == "fp64"; });
  if (!has_fp64 && device.info().double_precision) others.push_back({"fp64", 0, 0});
  for (PrecisionRate& rate : others) {
    attempt(rate.name, [&] { rate.measured_gflops = measure_precision(device, rate.name); });
    if (rate.measured_gflops > 0 || rate.peak_gflops > 0) rates.precisions.push_back(rate);
  }
  return rates;
}

}  // namespace overtake::doctor
