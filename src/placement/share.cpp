// SPDX-License-Identifier: MIT
// What two devices take together.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "placement/calibration.hpp"
#include "placement/cost.hpp"

namespace overtake {
namespace {

constexpr double least_share = 0.05, least_seconds = 0.1;  // that are to be gained, of the time and at all
/// A device that takes half of its share of what is left each time takes about so many more batches than alone; one
/// that would waste time on that, as its share is shorter than so many latencies, takes it at once
/// (search/batch_queue.cpp).
constexpr double more_batches = 4, short_latencies = 8;

/// When both are done, where the device runs `k` of the parts; the CPU needs `cpu_part` for one.
double end_of(std::int64_t k, std::int64_t parts, double cpu_part, double device_part, double device_once) {
  const double device = k > 0 ? device_once + static_cast<double>(k) * device_part : 0;
  return std::max(static_cast<double>(parts - k) * cpu_part, device);
}

}  // namespace

Prediction predict_together(const Prediction& cpu, const Prediction& device, const Shareable& work,
                            const MemoryLimits& limits) {
  constexpr double half = 0.5;  // of the cores
  const bool on_the_same_cores = device.threads > 0;
  const auto parts = static_cast<double>(std::max<std::int64_t>(1, work.parts + work.last));
  const double cpu_part = (cpu.compute_seconds + cpu.finish_seconds) / parts;
  const double alone = (device.compute_seconds - device.batch_seconds + device.finish_seconds) / parts;
  const double device_part = on_the_same_cores ? alone / half : alone;
  const double left = cpu.threads > 1 && !on_the_same_cores ? 1 - 1.0 / cpu.threads : half;
  const double beside = cpu_part / left;
  // With more parts for the device its end comes later and the CPU's earlier: they cross where the fractions say.
  const auto crossing_of = [&](double at_once) {
    return (static_cast<double>(work.parts) * beside - at_once) / (beside + device_part);
  };
  double once = device.transfer_seconds + device.batch_seconds;
  const bool is_short = crossing_of(once) * device_part < short_latencies * device.batch_seconds;
  if (!is_short) once += more_batches * device.batch_seconds;
  const double crossing = crossing_of(once);
  const auto most = std::max<std::int64_t>(1, work.parts - 1);
  const auto near = std::clamp<std::int64_t>(static_cast<std::int64_t>(crossing), 1, most);
  double both = end_of(near, work.parts, beside, device_part, once);
  if (near + 1 < work.parts) both = std::min(both, end_of(near + 1, work.parts, beside, device_part, once));
  Prediction of;
  of.device = cpu.device + " + " + device.device;
  of.threads = cpu.threads;
  of.start_seconds = cpu.start_seconds + device.start_seconds;
  of.prepare_seconds = std::max(cpu.prepare_seconds, device.prepare_seconds);
  of.compute_seconds = both;
  of.finish_seconds = static_cast<double>(work.last) * std::min(cpu_part, device_part + device.batch_seconds);
  of.device_bytes = device.device_bytes;
  const std::uint64_t held = std::min(placement::memory_held_before(), device.host_bytes);
  of.host_bytes = cpu.host_bytes + device.host_bytes - held;
  of.total();
  of.failure = placement::beyond_host_limit(of, limits);
  for (const Prediction* one : {&cpu, &device}) {
    if (!one->failure.empty()) of.failure = one->device + ": " + one->failure;
  }
  return of;
}

std::optional<Prediction> predict_shared(const Prediction& cpu, const Prediction& device, const Shareable& work,
                                         const MemoryLimits& limits) {
  if (work.parts < 2 || cpu.threads < 2) return std::nullopt;
  Prediction of = predict_together(cpu, device, work, limits);
  if (!of.failure.empty()) return std::nullopt;
  const double alone = std::min(cpu.seconds, device.seconds);
  if (of.seconds > alone * (1 - least_share) || of.seconds > alone - least_seconds) return std::nullopt;
  return of;
}

void add_together(Placement& placement, const Shareable& work, const MemoryLimits& limits) {
  std::vector<const Prediction*> both(placement.shared.size());
  std::transform(placement.shared.begin(), placement.shared.end(), both.begin(), [&](const std::string& id) {
    const auto found = std::find_if(placement.predictions.begin(), placement.predictions.end(),
                                    [&](const Prediction& of) { return of.device == id; });
    return found == placement.predictions.end() ? nullptr : &*found;
  });
  if (both.size() != 2 || both[0] == nullptr || both[1] == nullptr) return;
  if (both[1]->device == "cpu") std::swap(both[0], both[1]);
  Prediction together = predict_together(*both[0], *both[1], work, limits);
  std::erase_if(placement.predictions, [&](const Prediction& of) { return of.device == together.device; });
  placement.predictions.push_back(std::move(together));
}

Placement share_between(std::string_view devices) {
  const std::size_t comma = devices.find(',');
  const auto refuse = [&] {
    throw UsageError(fmt::format("\"{}\" are no two devices that share a search", devices),
                     "Name the CPU and one other, such as cpu,cuda:0.");
  };
  if (comma == std::string_view::npos || devices.find(',', comma + 1) != std::string_view::npos) refuse();
  Device first{std::string(devices.substr(0, comma))};
  Device second{std::string(devices.substr(comma + 1))};
  if (second.id() == "cpu") std::swap(first, second);
  if (first.id() != "cpu" || second.id() == "cpu") refuse();
  Placement placement;
  placement.shared = {second.id(), first.id()};
  placement.device = first.id() + " + " + second.id();
  placement.reason = "as asked for";
  return placement;
}

}  // namespace overtake
