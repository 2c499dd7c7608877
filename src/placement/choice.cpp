// SPDX-License-Identifier: MIT
#include "placement/choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "overtake/error.hpp"
#include "overtake/report.hpp"
#include "placement/rates.hpp"

namespace overtake {
namespace placement {
namespace {

/// The largest first; of one that two backends reach, the backend listed first.
std::vector<DeviceInfo> usable_gpus(std::vector<DeviceInfo> gpus) {
  std::erase_if(gpus, [](const DeviceInfo& info) { return !info.usable || info.kind != DeviceKind::gpu; });
  std::stable_sort(gpus.begin(), gpus.end(),
                   [](const DeviceInfo& a, const DeviceInfo& b) { return visits_a_second(a) > visits_a_second(b); });
  return gpus;
}

std::string times_text(const std::vector<Prediction>& predictions) {
  std::string times;
  for (const Prediction& p : predictions) {
    times += times.empty() ? "predicted: " : ", ";
    times += p.failure.empty() ? fmt::format("about {} on {}", report::seconds(p.seconds), p.device)
                               : fmt::format("{} cannot run it ({})", p.device, p.failure);
  }
  return times;
}

}  // namespace

Placement choose(const Predict& predict, const std::function<std::vector<DeviceInfo>()>& list) {
  const double gpu_start = start_seconds(DeviceKind::gpu);
  const auto cpu = predict(Device().info());
  if (!cpu) return {"cpu", 0, {}, "stopped before the prediction was made"};
  Placement placement{"cpu", cpu->threads, {*cpu}, {}};
  if (cpu->failure.empty() && cpu->seconds <= gpu_start) {
    placement.reason = times_text(placement.predictions) + ", less than a GPU takes to start";
    return placement;
  }
  const std::vector<DeviceInfo> gpus = usable_gpus(list());
  for (const DeviceInfo& gpu : gpus) {
    const auto prediction = predict(gpu);
    if (!prediction) break;
    placement.predictions.push_back(*prediction);
    if (prediction->failure.empty()) break;
  }
  const Prediction* best = nullptr;
  for (const Prediction& prediction : placement.predictions) {
    if (!prediction.failure.empty() || (best != nullptr && prediction.seconds >= best->seconds)) continue;
    best = &prediction;
  }
  if (best == nullptr) {
    throw DeviceError("no processor can run this training: " + placement.predictions.front().failure,
                      "Use a smaller network or batch, or raise the memory limit.");
  }
  placement.device = best->device;
  placement.reason = times_text(placement.predictions);
  if (gpus.empty()) placement.reason += "; no usable GPU, overtake devices says why";
  return placement;
}

}  // namespace placement

Placement choose_forest_device(double work) {
  if (!(work >= 0) || std::isinf(work)) {
    throw UsageError(fmt::format("choose_forest_device: work is {}, expected a number of at least 0", work));
  }
  double on_cpu = 0;
  return placement::choose([&](const DeviceInfo& info) {
    Prediction prediction;
    prediction.device = info.id;
    prediction.start_seconds = placement::start_seconds(info.kind);
    prediction.seconds = prediction.start_seconds + work / placement::visits_a_second(info);
    if (info.kind == DeviceKind::cpu) {
      on_cpu = prediction.seconds;
      prediction.threads = cpu_threads();
    } else if (prediction.seconds < on_cpu) {
      try {
        (void)Device(info.id);  // its first use tries the driver
      } catch (const DeviceError& error) {
        prediction.failure = error.what();
      }
    }
    return std::optional(prediction);
  });
}

}  // namespace overtake
