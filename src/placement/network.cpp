// SPDX-License-Identifier: MIT
// --device auto for networks: a few timed steps.
#include "overtake/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "backend/api/device.hpp"
#include "core/config.hpp"
#include "core/parallel.hpp"
#include "core/threads_here.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "placement/calibration.hpp"
#include "placement/choice.hpp"
#include "placement/cost.hpp"
#include "placement/pace.hpp"

namespace overtake {
namespace {

/// Rows of a trial: a few batches show the step time as well as all rows do.
constexpr std::int64_t trial_batches = 8;

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
  if (report.stop_reason == StopReason::interrupted) return std::nullopt;
  return report;
}

std::optional<Prediction> predict_on(const PlacementRequest& request, const TrialData& data, const DeviceInfo& info) {
  constexpr int most_epochs = 10000;
  constexpr double long_trial_seconds = 1.0;
  Prediction of;
  of.device = info.id;
  try {
    const auto begin = std::chrono::steady_clock::now();
    const Device device(info.id);
    device.set_memory_limit(request.memory_limit);
    const double open_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto train = [&](int epochs) { return trial(request, data, device, epochs); };
    const auto pace = placement::fastest_pace(device, request.threads, train, most_epochs, long_trial_seconds);
    if (!pace) return std::nullopt;
    of.threads = pace->threads;
    of.step_seconds = pace->epoch_seconds / static_cast<double>(data.steps_per_epoch);
    of.start_seconds = open_seconds + pace->compile_seconds;
    of.transfer_seconds = pace->transfer_seconds;
    of.compute_seconds = of.step_seconds * static_cast<double>(steps_per_epoch(request)) * request.epochs;
    of.total();
  } catch (const DeviceError& error) {
    of.failure = error.what();
  }
  return of;
}

}  // namespace

Placement choose_device(const PlacementRequest& request) {
  const TrialData data = trial_data(request);
  Placement placement =
      placement::choose([&](const DeviceInfo& info) { return predict_on(request, data, info); }, Candidates::likely);
  set_thread_count(std::max(placement.threads, request.threads));  // the trial of a GPU sets them free
  return placement;
}

Placement choose_device(const PreparedData& data, const NetworkOptions& options, int threads, Candidates candidates) {
  const std::int64_t inputs = data.preprocessing.inputs();
  const std::int64_t outputs = data.preprocessing.outputs();
  check_network_memory(options, inputs, outputs, data.training.rows);
  const NetworkWork work =
      network_work(network_shape(options, inputs, outputs, data.training.rows, data.validation.rows));
  const MemoryLimits limits{options.memory_limit, options.host_memory_limit};
  const auto predict_on = [&](const DeviceInfo& device) {
    Prediction of = predict_network(work, device, threads);
    const MemoryPlan memory = memory_of(options, data, device);
    of.device_bytes = memory.bytes(MemoryPlace::device);
    of.host_bytes = placement::memory_held_with(device, static_cast<double>(memory.bytes(MemoryPlace::host)));
    of.failure = placement::beyond_host_limit(of, limits);
    return of;
  };
  Placement placement = choose_device(predict_on, candidates, {}, limits);
  set_thread_count(std::max(placement.threads, threads));
  return placement;
}

namespace {

int checked_threads(int threads) {
  if (threads >= 0 && threads <= config::most_threads) return threads;
  throw UsageError(fmt::format("threads (--threads): {} is not accepted; expected 0 (all cores) to {}", threads,
                               config::most_threads),
                   "More threads than cores make nothing faster.");
}

}  // namespace

void set_cpu_threads(int threads) { set_thread_count(checked_threads(threads)); }

void set_cpu_threads_here(int threads) { set_thread_count_here(checked_threads(threads)); }

int cpu_threads() { return thread_count(); }

void check_environment() { config::check(); }

}  // namespace overtake
