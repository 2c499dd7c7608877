// SPDX-License-Identifier: MIT
// How long a race is going to take.
#include <algorithm>

#include "overtake/memory.hpp"
#include "overtake/race.hpp"
#include "placement/calibration.hpp"
#include "race/cell.hpp"

namespace overtake {

Prediction predict_race(const RaceOptions& options, const DeviceInfo& device) {
  race::check(options);
  race::require_points(options);
  constexpr double warm_up_seconds = 0.05;  // for each number of threads that is tried
  const double tried = device.kind == DeviceKind::cpu ? 2 : 1;
  const double repeats = options.repeat;
  Prediction of;
  of.device = device.id;
  const std::uint64_t points = race::memory_of_points(options).bytes(MemoryPlace::host);
  for (const int layers : options.layers) {
    NetworkShape shape{{2}, options.samples, 0, options.batch, options.epochs, 0};
    for (int layer = 1; layer < layers; ++layer) shape.widths.push_back(2 * shape.widths.back());
    shape.widths.push_back(2);
    const Prediction one = predict_network(network_work(shape), device);
    const double epoch = one.compute_seconds / options.epochs;
    double measured = repeats * one.compute_seconds;
    if (options.budget_seconds > 0) measured = std::min(measured, std::max(options.budget_seconds, epoch));
    of.start_seconds = std::max(of.start_seconds, one.start_seconds);
    of.prepare_seconds += tried * (warm_up_seconds + 2 * epoch);
    of.transfer_seconds += repeats * one.transfer_seconds;
    of.compute_seconds += measured;
    of.device_bytes = std::max(of.device_bytes, one.device_bytes);
    const std::uint64_t need = race::memory_of(options, layers, device).bytes(MemoryPlace::host) + points;
    of.host_bytes = std::max(of.host_bytes, placement::memory_held_with(device, static_cast<double>(need)));
  }
  of.total();
  if (options.memory_limit > 0 && of.device_bytes > options.memory_limit) {
    of.failure =
        "the largest network " + device_memory_lack(of.device_bytes, options.memory_limit, options.memory_limit);
  }
  return of;
}

}  // namespace overtake
