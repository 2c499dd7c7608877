// SPDX-License-Identifier: MIT
// What a device takes for what is counted of the work (overtake/forest/work.hpp, overtake/nn/work.hpp): seconds for
// each unit of a count. docs/placement.md says how they were found.
#pragma once

#include "overtake/device.hpp"

namespace overtake::placement {

/// Of growing forests on a device by kernels.
struct ForestKernelRates {
  double fixed = 0;            ///< of a job
  double bin_look = 0;         ///< of all groups together
  double random_bin_look = 0;  ///< with thresholds at random
  double chain_look = 0;       ///< of one group: latency
  double chain_bin = 0;
};

/// Of growing forests on the host, of one thread; the first three also before and after kernels grow them.
struct ForestHostRates {
  double cell = 0;       ///< a value that is binned
  double kept_node = 0;  ///< of a model: fetched, ordered
  double result = 0;     ///< a row that is scored, for the metrics
  double fixed = 0;
  double small_visit = 0, big_visit = 0, big_bin = 0;  ///< big: of nodes that are not small
  double move = 0;
  double scored = 0;
};

/// Of training networks.
struct NetworkRates {
  double judged = 0;
  double step = 0, layer = 0;
  double flop = 0, weight = 0, value = 0, row_value = 0;
  double once = 0;  ///< for each wide layer, before the first step on a device, in it on the CPU
  double compile = 0;
};

/// A device's own speed as a multiple of the rates' device: 2 takes twice as long.
struct Slowness {
  double forest_wide = 1, forest_chain = 1;      ///< throughput and latency of kernels
  double network_step = 1, network_product = 1;  ///< likewise
  double host = 1;                               ///< of forests, by threads
};

/// All of a device.
struct DeviceRates {
  double start_seconds = 0;   ///< until it computes: opening the driver, loading the kernels
  double context_bytes = 0;   ///< of the computer's memory, once the device is open
  double bytes_a_second = 0;  ///< from host to device
  ForestKernelRates forest;   ///< not of the cpu
  ForestHostRates host;
  ForestHostRates numbers;  ///< the same, of targets that are numbers
  NetworkRates network;     ///< on the cpu of one thread
  NetworkRates team;        ///< of all threads; elsewhere the same
  int threads = 1;          ///< of the host
};

/// Without the device's own measurements (calibration.hpp): by its kind, units and clock.
[[nodiscard]] DeviceRates usual_rates(const DeviceInfo& info);
/// With them.
[[nodiscard]] DeviceRates with(DeviceRates rates, const Slowness& slowness);

/// Row visits a second of growing forests, for batches that take about a time; of the CPU with the threads that are set
/// now.
[[nodiscard]] double visits_a_second(const DeviceInfo& info);

/// Seconds until a GPU computes, at best.
[[nodiscard]] double least_gpu_start() noexcept;

}  // namespace overtake::placement
