// SPDX-License-Identifier: MIT
#include "placement/choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/report.hpp"
#include "placement/calibration.hpp"

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

/// `failures`: also why some cannot.
std::string times_text(const std::vector<Prediction>& predictions, bool failures = true) {
  std::string times;
  for (const Prediction& p : predictions) {
    if (!failures && !p.failure.empty()) continue;
    times += times.empty() ? "predicted: " : ", ";
    times += p.failure.empty() ? fmt::format("about {} on {}", report::seconds(p.seconds), p.device)
                               : fmt::format("{} cannot run it ({})", p.device, p.failure);
  }
  return times;
}

/// The GPU that is to be chosen must open; its first use tries the driver.
void open(const Machine& machine, Prediction& prediction) {
  try {
    machine.open(prediction.device);
  } catch (const DeviceError& error) {
    prediction.failure = error.what();
  }
}

/// Every device of the list in its order.
void predict_all(const Predict& predict, const std::vector<DeviceInfo>& devices, std::vector<Prediction>& predictions) {
  for (const DeviceInfo& device : devices) {
    if (device.kind == DeviceKind::cpu || device.id == "null") continue;
    if (!device.usable) {
      predictions.emplace_back();
      predictions.back().device = device.id;
      predictions.back().failure = device.reason;
    } else if (auto prediction = predict(device)) {
      predictions.push_back(*std::move(prediction));
    }
  }
}

/// The first GPU that can run the work, and those before it that cannot. One that would finish first is opened.
void predict_gpus(const Predict& predict, const Machine& machine, const std::vector<DeviceInfo>& gpus,
                  std::vector<Prediction>& predictions) {
  const Prediction cpu = predictions.front();
  for (const DeviceInfo& gpu : gpus) {
    auto prediction = predict(gpu);
    if (!prediction) return;
    const bool wins = !cpu.failure.empty() || prediction->seconds < cpu.seconds;
    if (prediction->failure.empty() && wins) open(machine, *prediction);
    predictions.push_back(*prediction);
    if (prediction->failure.empty()) return;
  }
}

const Prediction* fastest(const std::vector<Prediction>& predictions, const std::vector<DeviceInfo>& gpus) {
  const Prediction* best = nullptr;
  for (const Prediction& prediction : predictions) {
    const bool is_candidate = prediction.device == "cpu" || std::any_of(gpus.begin(), gpus.end(), [&](const auto& gpu) {
                                return gpu.id == prediction.device;
                              });
    if (!is_candidate || !prediction.failure.empty()) continue;
    if (best == nullptr || prediction.seconds < best->seconds) best = &prediction;
  }
  return best;
}

/// Work that may be shared, and within which memory.
struct Sharing {
  const Shareable& work;
  const MemoryLimits& limits;
};

/// Where the cpu and the largest GPU that can run the work are done earlier together, they are chosen. `machine`: of
/// which the GPU is opened first; null: of those that are only planned for.
void share(Placement& placement, const std::vector<DeviceInfo>& gpus, const Sharing& sharing, const Machine* machine) {
  std::vector<Prediction>& predictions = placement.predictions;
  for (const DeviceInfo& gpu : gpus) {
    const auto found =
        std::find_if(predictions.begin(), predictions.end(), [&](const Prediction& of) { return of.device == gpu.id; });
    if (found == predictions.end() || !found->failure.empty()) continue;
    if (placement.device != "cpu" && placement.device != gpu.id) continue;
    const auto both = predict_shared(predictions.front(), *found, sharing.work, sharing.limits);
    if (!both) return;
    if (machine != nullptr && placement.device != gpu.id) open(*machine, *found);
    if (!found->failure.empty()) return;
    placement.shared = {placement.device == "cpu" ? "cpu" : gpu.id, placement.device == "cpu" ? gpu.id : "cpu"};
    placement.device = both->device;
    predictions.push_back(*both);
    return;
  }
}

}  // namespace

Placement choose(const Predict& predict, Candidates candidates, const Machine& machine, const Shareable& work,
                 const MemoryLimits& limits) {
  const auto cpu = predict(Device().info());
  Placement placement;
  placement.device = "cpu";
  placement.reason = "stopped before the prediction was made";
  if (!cpu) return placement;
  placement.threads = cpu->threads;
  placement.predictions = {*cpu};
  const bool all = candidates == Candidates::all;
  if (!all && cpu->failure.empty() && cpu->seconds <= least_gpu_start()) {
    placement.notes = take_prediction_notes();
    placement.reason = times_text(placement.predictions) + ", less than a GPU takes to start";
    return placement;
  }
  const std::vector<DeviceInfo> devices = machine.list(candidates);
  const std::vector<DeviceInfo> gpus = usable_gpus(devices);
  if (all) {
    predict_all(predict, devices, placement.predictions);
  } else {
    predict_gpus(predict, machine, gpus, placement.predictions);
  }
  const Prediction* best = fastest(placement.predictions, gpus);
  const bool is_limited = limits.planned > 0 || limits.host > 0;
  if (best == nullptr && !is_limited) {
    throw DeviceError("no processor can run this: " + placement.predictions.front().failure,
                      "Use a smaller model, batch or table.");
  }
  if (best == nullptr) best = &placement.predictions.front();  // its run looks more closely
  placement.device = best->device;
  share(placement, gpus, {work, limits}, all ? nullptr : &machine);
  placement.notes = take_prediction_notes();
  placement.reason = times_text(placement.predictions, !all);
  if (gpus.empty()) placement.reason += "; no usable GPU, overtake doctor says why";
  return placement;
}

namespace {

std::vector<std::string> devices_of(const Placement& placement) {
  return placement.shared.empty() ? std::vector<std::string>{placement.device} : placement.shared;
}

}  // namespace

}  // namespace placement

bool is_predictable(const Placement& asked) {
  const std::vector<std::string> devices = placement::devices_of(asked);
  return std::all_of(devices.begin(), devices.end(),
                     [](const std::string& id) { return placement::are_rates_known(Device(id).info()); });
}

void predict_asked(Placement& asked, const std::function<Prediction(const DeviceInfo&)>& predict, const Shareable& work,
                   const MemoryLimits& limits) {
  for (const std::string& name : placement::devices_of(asked)) {
    asked.predictions.push_back(predict(Device(name).info()));
  }
  add_together(asked, work, limits);
  asked.notes = take_prediction_notes();
  const Prediction* of = asked.chosen();
  if (of != nullptr && of->failure.empty()) {
    asked.reason += fmt::format("; predicted: about {}", report::seconds(of->seconds));
  }
}

report::Json to_json(const Prediction& of) {
  report::Json json = report::Json::object();
  json.set("device", of.device).set("failure", report::Json::text_or_null(of.failure)).set("threads", of.threads);
  json.set("seconds", of.seconds).set("start", of.start_seconds).set("prepare", of.prepare_seconds);
  json.set("transfer", of.transfer_seconds).set("compute", of.compute_seconds).set("finish", of.finish_seconds);
  return json.set("device_bytes", of.device_bytes).set("host_bytes", of.host_bytes);
}

const Prediction* Placement::chosen() const noexcept {
  const auto found =
      std::find_if(predictions.begin(), predictions.end(), [&](const Prediction& of) { return of.device == device; });
  return found == predictions.end() ? nullptr : &*found;
}

Placement choose_device(const std::function<Prediction(const DeviceInfo&)>& predict, Candidates candidates,
                        const Shareable& work, const MemoryLimits& limits) {
  return placement::choose([&](const DeviceInfo& device) { return std::optional(predict(device)); }, candidates, {},
                           work, limits);
}

}  // namespace overtake
