// SPDX-License-Identifier: MIT
#include "overtake/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "backend/api/device.hpp"
#include "core/config.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/race.hpp"
#include "race/pace.hpp"

namespace overtake {
namespace {

/// Rows of a trial: a few batches show the step time as well as all rows do.
constexpr std::int64_t trial_batches = 8;
/// A GPU's context and first kernels take about this long; a CPU that is done by then has won.
constexpr double gpu_start_seconds = 0.3;

struct TrialData {
  Array inputs, targets;
  std::int64_t steps_per_epoch = 1;  ///< of the trial
  bool whole_epochs = true;          ///< the trial's epoch is the training's: it costs the same, validation included
};

std::int64_t steps_per_epoch(const PlacementRequest& request) {
  const std::int64_t rows = request.inputs.shape()[0];
  const std::int64_t batch = std::min(request.batch_size, rows);
  return (rows + batch - 1) / batch;
}

TrialData trial_data(const PlacementRequest& request) {
  if (steps_per_epoch(request) <= trial_batches) {
    return {request.inputs, request.targets, steps_per_epoch(request), true};
  }
  // Full batches only, so that every trial step costs what a full step costs.
  const std::int64_t rows = trial_batches * request.batch_size;
  TrialData data{slice(request.inputs, 0, rows), slice(request.targets, 0, rows), trial_batches, false};
  data.inputs.eval();
  data.targets.eval();
  return data;
}

std::optional<FitReport> trial(const PlacementRequest& request, const TrialData& data, const Device& device,
                               int epochs) {
  nn::Sequential model = request.model();
  model.to(device);
  const auto optimizer = request.optimizer(model);
  TrainerOptions options;
  options.epochs = epochs;
  options.batch_size = request.batch_size;
  if (data.whole_epochs) {
    options.validation_inputs = request.validation_inputs;
    options.validation_targets = request.validation_targets;
  } else {
    options.report_every = epochs;
  }
  options.check_data = false;
  options.check_result = false;
  options.stop = request.stop;
  FitReport report = Trainer(model, request.loss, *optimizer, options).fit(data.inputs, data.targets);
  if (report.stop_reason == StopReason::interrupted) {
    return std::nullopt;
  }
  return report;
}

/// Empty when the stop token was requested.
std::optional<Prediction> predict_on(const PlacementRequest& request, const TrialData& data, const std::string& id) {
  constexpr int most_epochs = 10000;
  constexpr double long_trial_seconds = 1.0;
  Prediction best;
  best.device = id;
  try {
    const auto begin = std::chrono::steady_clock::now();
    const Device device(id);
    device.set_memory_limit(request.memory_limit);
    const double open_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    bool first = true;
    const bool given = request.threads > 0 && device.info().backend == "cpu";
    for (const int threads : given ? std::vector<int>{request.threads} : race::thread_choices(device)) {
      set_thread_count(threads);
      const auto pace = race::find_pace([&](int epochs) { return trial(request, data, device, epochs); }, most_epochs,
                                        long_trial_seconds);
      if (!pace) {
        return std::nullopt;
      }
      const double step_seconds = pace->epoch_seconds / static_cast<double>(data.steps_per_epoch);
      if (!first && step_seconds >= best.step_seconds) {
        continue;
      }
      first = false;
      best.threads = threads;
      best.step_seconds = step_seconds;
      best.start_seconds = open_seconds + pace->compile_seconds + pace->transfer_seconds;
      best.seconds = best.start_seconds + step_seconds * static_cast<double>(steps_per_epoch(request)) * request.epochs;
    }
    set_thread_count(best.threads);
  } catch (const DeviceError& error) {
    best.failure = error.what();
  }
  return best;
}

std::string reason_for(const Placement& placement) {
  std::string times;
  for (const Prediction& p : placement.predictions) {
    times += (times.empty() ? "" : ", ") + (p.failure.empty()
                                                ? fmt::format("{} about {}", p.device, report::seconds(p.seconds))
                                                : fmt::format("{} cannot run it ({})", p.device, p.failure));
  }
  return fmt::format("predicted from a few timed steps: {}; chose {}", times, placement.device);
}

}  // namespace

Placement choose_device(const PlacementRequest& request) {
  const TrialData data = trial_data(request);
  Placement placement;
  placement.device = "cpu";
  const auto cpu = predict_on(request, data, "cpu");
  if (!cpu) {
    placement.reason = "stopped before the prediction was made";
    return placement;
  }
  placement.predictions.push_back(*cpu);
  placement.threads = cpu->threads;
  if (cpu->failure.empty() && cpu->seconds <= gpu_start_seconds) {
    placement.reason =
        fmt::format("the CPU needs about {}, less than a GPU takes to start; chose cpu", report::seconds(cpu->seconds));
    return placement;
  }
  const std::vector<DeviceInfo> all = list_devices();
  const auto gpu = std::find_if(all.begin(), all.end(), [](const DeviceInfo& d) { return d.usable && is_gpu(d); });
  if (gpu != all.end()) {
    const auto prediction = predict_on(request, data, gpu->id);
    if (prediction) {
      placement.predictions.push_back(*prediction);
    }
  }
  const Prediction* best = nullptr;
  for (const Prediction& prediction : placement.predictions) {
    if (prediction.failure.empty() && (best == nullptr || prediction.seconds < best->seconds)) {
      best = &prediction;
    }
  }
  if (best == nullptr) {
    throw DeviceError("no processor can run this training: " + placement.predictions.front().failure,
                      "Use a smaller network or batch, or raise the memory limit.");
  }
  placement.device = best->device;
  placement.reason = reason_for(placement);
  if (gpu == all.end()) {
    placement.reason = fmt::format("no usable GPU; the CPU needs about {}", report::seconds(best->seconds));
  }
  return placement;
}

void set_cpu_threads(int threads) {
  if (threads < 0 || threads > config::most_threads) {
    throw UsageError(
        fmt::format("threads: {} is not accepted; expected 0 (all cores) to {}", threads, config::most_threads),
        "More threads than cores make nothing faster.");
  }
  set_thread_count(threads);
}

int cpu_threads() { return thread_count(); }

void check_environment() { config::check(); }

}  // namespace overtake
