// SPDX-License-Identifier: MIT
#include "placement/rates.hpp"

#include "placement/calibration.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "platform/host_limits.hpp"

namespace overtake::placement {
namespace {

// bench/results/2026-11-26-h100-placement-rates.json: 29 workloads on an NVIDIA H100 and on the 16 Xeon cores beside
// it, fitted with non-negative least squares of relative errors; growing on the host together with 18 forests of one to
// all levels on two EPYC cores, since all of the former are deep.
constexpr double units_of_h100 = 132, mhz_of_h100 = 1980;
constexpr ForestKernelRates h100_forest{
    .fixed = 0.0086, .bin_look = 6.5e-12, .random_bin_look = 1.64e-11, .chain_look = 9.6e-6, .chain_bin = 2.8e-9};
constexpr NetworkRates h100_network{.judged = 1.5e-4,
                                    .step = 5.2e-6,
                                    .layer = 3.4e-6,
                                    .flop = 1.15e-14,
                                    .weight = 4.7e-12,
                                    .value = 1.8e-10,
                                    .row_value = 2e-11,
                                    .once = 0.02,
                                    .compile = 0.012};
constexpr ForestHostRates xeon_forest{.cell = 5e-8,
                                      .kept_node = 5.5e-8,
                                      .result = 4e-7,
                                      .fixed = 0.0008,
                                      .small_visit = 5.2e-8,
                                      .big_visit = 3e-9,
                                      .big_bin = 7.4e-9,
                                      .move = 3e-8,
                                      .scored = 3e-8};
constexpr NetworkRates xeon_one_thread{.judged = 3e-5,
                                       .step = 3e-6,
                                       .layer = 1e-6,
                                       .flop = 1.4e-11,
                                       .weight = 1.3e-9,
                                       .value = 1.5e-9,
                                       .row_value = 1.5e-8,
                                       .once = 0.017,
                                       .compile = 0.002};
/// Of a team of threads, whose products alone get faster with their number.
constexpr double team_layer = 5e-6, team_value = 5.5e-9, team_weight = 1.8e-9, team_row_value = 8e-9;

double start_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::gpu: return least_gpu_start();
    case DeviceKind::opencl_on_cpu: return 0.1;
    case DeviceKind::cpu:
    case DeviceKind::none: break;
  }
  return 0;
}

/// How many times longer a device takes than an H100, as far as units and clock say.
double against_h100(const DeviceInfo& info) {
  const double units = std::max(1, info.compute_units);
  const double mhz = info.clock_mhz > 0 ? info.clock_mhz : 1500;
  // Units of other makes than NVIDIA's, the only ones whose peak is known, may be 8 lanes wide where those have 128.
  const double lanes = info.peak_gflops > 0 ? 1.0 : 8.0 / 128;
  return units_of_h100 * mhz_of_h100 / (units * mhz * lanes);
}

int host_threads() { return std::min(thread_count(), platform::usable_cores()); }

}  // namespace

double least_gpu_start() noexcept { return 0.35; }

DeviceRates usual_rates(const DeviceInfo& info) {
  DeviceRates rates;
  rates.start_seconds = start_of(info.kind);
  const bool is_here = info.backend != elsewhere;
  rates.threads = is_here || info.kind != DeviceKind::cpu ? host_threads() : info.compute_units;
  rates.host = rates.numbers = xeon_forest;
  if (info.kind == DeviceKind::cpu) {
    rates.network = rates.team = xeon_one_thread;
    if (rates.threads == 1) return rates;
    rates.team.step = 0;
    rates.team.layer = team_layer;
    rates.team.flop /= rates.threads;
    rates.team.value = team_value;
    rates.team.weight = team_weight;
    rates.team.row_value = team_row_value;
    return rates;
  }
  rates.forest = h100_forest;
  rates.network = rates.team = h100_network;
  rates.bytes_a_second = 5e9;
  rates.context_bytes = 1.5e8;  // 193 MB of a process on an H100, where 40 MB had been
  if (info.kind == DeviceKind::gpu) {
    const double slower = against_h100(info);
    const double latency = mhz_of_h100 / std::max(500.0, info.clock_mhz);
    rates = with(rates,
                 {.forest_wide = slower, .forest_chain = latency, .network_step = latency, .network_product = slower});
  } else if (info.kind == DeviceKind::opencl_on_cpu) {
    rates.context_bytes = 7.5e7;  // a process with PoCL holds 85 MiB, on the cpu 13
    // PoCL 3.1 on two cores, as multiples of the cpu backend (docs/placement.md); networks at tens of microseconds a
    // kernel.
    rates.host = with(rates, {.host = 1.5}).host;
    rates.numbers = with(rates, {.host = 3}).numbers;
    rates.host.small_visit = 5 * xeon_forest.small_visit;
    rates.numbers.small_visit = 4.5 * xeon_forest.small_visit;
    rates.network = rates.team = with(rates, {.network_step = 30, .network_product = 600}).network;
  }
  return rates;
}

DeviceRates with(DeviceRates rates, const Slowness& slowness) {
  for (ForestHostRates* host : {&rates.host, &rates.numbers}) {
    for (double* rate : {&host->cell, &host->kept_node, &host->result, &host->fixed, &host->small_visit,
                         &host->big_visit, &host->big_bin, &host->move, &host->scored}) {
      *rate *= slowness.host;
    }
  }
  rates.forest.bin_look *= slowness.forest_wide;
  rates.forest.random_bin_look *= slowness.forest_wide;
  rates.forest.fixed *= slowness.forest_chain;
  rates.forest.chain_look *= slowness.forest_chain;
  rates.forest.chain_bin *= slowness.forest_chain;
  for (NetworkRates* network : {&rates.network, &rates.team}) {
    for (double* rate : {&network->judged, &network->step, &network->layer}) {
      *rate *= slowness.network_step;
    }
    for (double* rate : {&network->flop, &network->weight, &network->value, &network->row_value}) {
      *rate *= slowness.network_product;
    }
  }
  return rates;
}

double visits_a_second(const DeviceInfo& info) {
  // A forest of 1,000,000 x 28 is 8e9 row visits: 16 cores 1.1e8 to 1.6e8 each, H200 4e8 a unit, small forests 1.5e8.
  const double of_unit = info.kind == DeviceKind::opencl_on_cpu ? 7e7 : 1.5e8;
  if (info.kind == DeviceKind::none) return 2e10;
  if (info.kind == DeviceKind::cpu) return of_unit * host_threads();
  const bool measured = info.kind != DeviceKind::gpu || info.peak_gflops > 0;
  return of_unit * std::max(1, info.compute_units) * (measured ? 1.0 : 8.0 / 128);
}

}  // namespace overtake::placement
