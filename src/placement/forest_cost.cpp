// SPDX-License-Identifier: MIT
#include <algorithm>

#include "core/parallel.hpp"
#include "overtake/memory.hpp"
#include "overtake/placement.hpp"
#include "placement/calibration.hpp"
#include "placement/cost.hpp"

namespace overtake {
namespace placement {
namespace {

double bins_of(const ForestWork& work) { return work.looks > 0 ? work.bin_looks / work.looks : 0; }

double host_growing(const ForestWork& work, const ForestHostRates& rates) {
  return rates.small_visit * work.small_visits + rates.big_visit * (work.visits - work.small_visits) +
         rates.big_bin * (work.looks - work.small_looks) * bins_of(work) + rates.move * work.moves;
}

double chain_growing(const ForestWork& work, const ForestKernelRates& rates) {
  return work.chain_looks * (rates.chain_look + rates.chain_bin * bins_of(work));
}

double kernel_growing(const ForestWork& work, const ForestKernelRates& rates) {
  return rates.bin_look * (work.bin_looks - work.random_bin_looks) + rates.random_bin_look * work.random_bin_looks +
         chain_growing(work, rates);
}

/// Where threads grow: trees that are scored wait in rounds of at most 2 GiB (forest/host/grower.cpp), of batches of
/// about two seconds (forest/search/estimator.cpp).
double host_bytes(const ForestWork& work, double seconds, const MemoryLimits& limits) {
  constexpr double seconds_of_a_batch = 2;
  double most_of_a_round = 2.0 * (std::uint64_t{1} << 30);
  if (limits.planned > 0) most_of_a_round = std::min(most_of_a_round, static_cast<double>(limits.planned));
  if (limits.host > 0) {  // half of what is left (forest/grow/need.cpp)
    const std::uint64_t left = limits.host - std::min(limits.host, memory_held_before());
    most_of_a_round = std::min(most_of_a_round, static_cast<double>(left) / 2);
  }
  const double batches = std::max(1.0, seconds / seconds_of_a_batch);
  const double scoring = work.data_bytes + std::min(most_of_a_round, work.grown_bytes / batches);
  return std::max(scoring, work.host_bytes);
}

/// What a device holds at once: it cuts trees into batches of at most 1e9 visits a unit and six tenths of its memory
/// (forest/device/grower.cpp).
double bytes_at_once(const ForestWork& work, const DeviceInfo& device, std::uint64_t limit) {
  const double batches = std::max(1.0, work.visits / (1e9 * std::max(1, device.compute_units)));
  const double most = limit > 0 ? static_cast<double>(limit) : 0.6 * static_cast<double>(device.memory_bytes);
  const double bytes = work.data_bytes + work.tree_bytes / batches;
  return most > 0 ? std::min(bytes, most) : bytes;
}

/// Where kernels grow them in the computer's memory: the data twice, and of a batch what its trees fill of their tables
/// (forest/device/plan.cpp), or the forest that is kept.
double host_bytes_of_kernels(const ForestWork& work, const DeviceInfo& device, const MemoryLimits& limits) {
  constexpr double filled = 0.4;
  std::uint64_t most = limits.planned;
  if (limits.host > 0) {  // half of what is left (forest/make_grower.cpp)
    const std::uint64_t half = (limits.host - std::min(limits.host, memory_held_before())) / 2;
    most = most > 0 ? std::min(most, half) : half;
  }
  const double trees = std::max(0.0, bytes_at_once(work, device, most) - work.data_bytes);
  return work.data_bytes + std::max(work.data_bytes + filled * trees, work.host_bytes_beside);
}

constexpr double uncertain = 1.2;  // predictions of memory may be off by a fifth

bool exceeds(double bytes, std::uint64_t limit) { return limit > 0 && bytes > uncertain * static_cast<double>(limit); }

/// What no cutting makes smaller, against the limits; empty where it fits.
std::string does_not_fit(const ForestWork& work, const DeviceInfo& device, const MemoryLimits& limits,
                         const Prediction& of) {
  const std::uint64_t most = limits.planned > 0 ? limits.planned : device.memory_bytes;
  if (!exceeds(work.data_bytes, most)) return beyond_host_limit(of, limits);
  return "the table in bins " + device_memory_lack(static_cast<std::uint64_t>(work.data_bytes), most, limits.planned);
}

}  // namespace

std::string beyond_host_limit(const Prediction& of, const MemoryLimits& limits) {
  if (!exceeds(static_cast<double>(of.host_bytes), limits.host)) return "";
  return "it " + host_memory_lack(of.host_bytes - std::min(of.host_bytes, host_memory_held()), limits.host);
}

Prediction forest_cost(const ForestWork& work, const DeviceInfo& device, const DeviceRates& rates,
                       const MemoryLimits& limits) {
  const double threads = std::max(1, rates.threads);
  const ForestHostRates& host = work.numbers ? rates.numbers : rates.host;
  Prediction of;
  of.device = device.id;
  of.start_seconds = rates.start_seconds;
  of.prepare_seconds = host.cell * work.cells / threads;
  of.finish_seconds = host.result * work.results / threads;
  if (device.kind == DeviceKind::cpu || device.kind == DeviceKind::opencl_on_cpu) {
    of.threads = cpu_threads();
    const bool is_host = device.kind == DeviceKind::cpu;
    of.compute_seconds = host.fixed + host_growing(work, host) / threads;
    const double bytes =
        is_host ? host_bytes(work, of.compute_seconds, limits) : host_bytes_of_kernels(work, device, limits);
    of.host_bytes = memory_held_with(device, bytes);
    of.finish_seconds += host.scored * work.scored / threads;
  } else {
    of.host_bytes = memory_held_with(device, work.host_bytes_beside);
    of.device_bytes = static_cast<std::uint64_t>(bytes_at_once(work, device, limits.planned));
    of.transfer_seconds = work.cells / rates.bytes_a_second;
    of.compute_seconds = rates.forest.fixed + kernel_growing(work, rates.forest);
    of.batch_seconds = rates.forest.fixed + chain_growing(work, rates.forest);
    of.finish_seconds += host.kept_node * work.kept_nodes;
  }
  of.failure = does_not_fit(work, device, limits, of);
  of.total();
  return of;
}

}  // namespace placement

Placement choose_device(const ForestWork& work, const MemoryLimits& limits, Candidates candidates) {
  return choose_device([&](const DeviceInfo& on) { return predict_forest(work, on, limits); }, candidates, {}, limits);
}

Prediction predict_forest(const ForestWork& work, const DeviceInfo& device, const MemoryLimits& limits) {
  return placement::forest_cost(work, device, placement::rates_of(device), limits);
}

}  // namespace overtake
