// SPDX-License-Identifier: MIT
#include "placement/rates.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "platform/host_limits.hpp"

namespace overtake::placement {
namespace {

struct Rates {
  double start_seconds;
  double visits_a_unit;  ///< row visits a second of a core, or of a compute unit
};

/// The calibration, of bench/results. A forest of 1,000,000 x 28 is 8e9 row visits.
Rates rates_of(DeviceKind kind) {
  switch (kind) {
    // 2026-11-21-h200-forests.json: that forest in 3.06 s on 16 cores, 1.6e8; 2026-11-26-h200-forests.json: 1.1e8.
    case DeviceKind::cpu: return {0, 1.5e8};
    // The same files, 132 units: that forest in 0.147 s, 4e8; the small forests of digits 1.5e8. The start is the
    // 0.4 s that iris took with all else, 2026-11-26-h100-fresh-machine.json.
    case DeviceKind::gpu: return {0.35, 1.5e8};
    // Never chosen. The search of digits on PoCL 3.1 took twice the time of the cpu backend, both on two cores.
    case DeviceKind::opencl_on_cpu: return {0, 7e7};
    case DeviceKind::none: break;
  }
  return {0, 2e10};  // the null device records what a large GPU would be asked
}

}  // namespace

double start_seconds(DeviceKind kind) { return rates_of(kind).start_seconds; }

double visits_a_second(const DeviceInfo& info) {
  const double of_unit = rates_of(info.kind).visits_a_unit;
  // Threads beyond the cores make nothing faster.
  if (info.kind == DeviceKind::cpu) return of_unit * std::min(thread_count(), platform::usable_cores());
  // Units of NVIDIA's were measured, the only ones whose peak is known. The smallest of other makes are 8 lanes wide
  // where those have 128.
  const bool measured = info.kind != DeviceKind::gpu || info.peak_gflops > 0;
  return of_unit * std::max(1, info.compute_units) * (measured ? 1.0 : 8.0 / 128);
}

}  // namespace overtake::placement
