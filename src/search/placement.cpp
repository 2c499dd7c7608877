// SPDX-License-Identifier: MIT
// --device auto for forests: a cost model of two figures a processor.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "backend/api/device.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "overtake/search.hpp"
#include "platform/host_limits.hpp"

namespace overtake {
namespace {

// Row visits a second: measured with bench/forest_bench.cpp from iris to 1,000,000 x 28 (bench/results).
constexpr double visits_per_core = 1.5e8;
constexpr double visits_per_gpu_unit = 1.5e8;  // 132 units of an H200: 2e10 (digits) to 6e10 (1,000,000 rows)
constexpr double gpu_start_seconds = 0.35;     // opening the driver and loading the kernels

}  // namespace

ForestPlacement choose_forest_device(double work) {
  const DeviceInfo* gpu = nullptr;
  const std::vector<DeviceInfo> devices = list_devices();
  for (const DeviceInfo& info : devices) {
    if (info.backend == "cuda" && info.usable && gpu == nullptr) gpu = &info;
  }
  if (gpu == nullptr) return {"cpu", "no usable NVIDIA GPU; overtake devices says why"};
  // Threads beyond the cores make nothing faster.
  const int busy = std::min(thread_count(), platform::usable_cores());
  const double on_cpu = work / (visits_per_core * std::max(1, busy));
  const double on_gpu = gpu_start_seconds + work / (visits_per_gpu_unit * std::max(1, gpu->compute_units));
  const std::string estimate =
      fmt::format("about {} on the CPU, {} on {}", report::seconds(on_cpu), report::seconds(on_gpu), gpu->id);
  if (on_gpu < on_cpu) {
    try {
      (void)Device(gpu->id);  // its first use tries the driver
      return {gpu->id, "estimated: " + estimate};
    } catch (const DeviceError& error) {
      return {"cpu", error.what()};
    }
  }
  return {"cpu", fmt::format("estimated: {}, its start included", estimate)};
}

}  // namespace overtake
