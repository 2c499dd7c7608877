// SPDX-License-Identifier: MIT
#include <algorithm>

#include "core/parallel.hpp"
#include "overtake/placement.hpp"
#include "placement/calibration.hpp"
#include "placement/cost.hpp"

namespace overtake {
namespace placement {
namespace {

double training(const NetworkWork& work, const NetworkRates& rates) {
  return rates.judged * work.judged + rates.step * work.steps + rates.layer * work.layers + rates.flop * work.flops +
         rates.weight * work.weights + rates.value * work.values + rates.row_value * work.row_values;
}

/// Products of wide layers are prepared once: on a device while its steps are compiled, on the CPU in the first step.
double preparing(const NetworkWork& work, const NetworkRates& rates) { return rates.once * work.wide_layers; }

}  // namespace

Prediction network_cost(const NetworkWork& work, const DeviceInfo& device, const DeviceRates& rates, int threads) {
  Prediction of;
  of.device = device.id;
  of.device_bytes = static_cast<std::uint64_t>(work.device_bytes);
  const bool here = device.kind == DeviceKind::cpu || device.kind == DeviceKind::opencl_on_cpu;
  of.host_bytes = memory_held_with(device, here ? work.device_bytes : work.transfer_bytes);
  of.start_seconds = rates.start_seconds + rates.network.compile;
  if (rates.bytes_a_second > 0) of.transfer_seconds = work.transfer_bytes / rates.bytes_a_second;
  double alone = training(work, rates.network);
  double together = training(work, rates.team);
  if (here) {
    alone += preparing(work, rates.network);
    together += preparing(work, rates.team);
  } else {
    of.start_seconds += preparing(work, rates.network);
  }
  of.compute_seconds = threads == 1 || (threads == 0 && alone <= together) ? alone : together;
  if (device.kind == DeviceKind::cpu) {
    of.threads = threads > 0 ? threads : alone <= together ? 1 : rates.threads;
  }
  of.step_seconds = work.steps > 0 ? of.compute_seconds / work.steps : 0;
  of.total();
  return of;
}

}  // namespace placement

Prediction predict_network(const NetworkWork& work, const DeviceInfo& device, int threads) {
  return placement::network_cost(work, device, placement::rates_of(device), threads);
}

}  // namespace overtake
