// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "backend/api/device.hpp"
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

/// The faster of the backend's copy and an element-wise map, on arrays no cache holds.
double measure_gbs(const Device& device, double budget) {
  constexpr std::int64_t most_elements = std::int64_t{1} << 26;
  constexpr std::int64_t least_elements = std::int64_t{1} << 22;
  const auto memory = static_cast<std::int64_t>(device.info().memory_bytes);
  const std::int64_t elements = std::clamp(memory / 64, least_elements, most_elements);
  const auto bytes = static_cast<std::size_t>(elements) * sizeof(float);
  const Array x = full({elements}, 1.0F, device);
  x.eval();
  double best = best_seconds([&] { (x + x).eval(); }, device, budget / 2);
  backend::Device& impl = device.impl();
  const auto from = impl.allocate(bytes);
  const auto into = impl.allocate(bytes);
  best = std::min(best, best_seconds([&] { impl.copy(*from, 0, *into, 0, bytes); }, device, budget / 2));
  return 2 * static_cast<double>(bytes) / best * 1e-9;
}

}  // namespace

MeasuredPeak measure_peak(const Device& device, double seconds) {
  if (!(seconds > 0)) {
    throw UsageError("measure_peak needs a positive time");
  }
  return {measure_gflops(device, seconds / 2), measure_gbs(device, seconds / 2)};
}

}  // namespace overtake
