// SPDX-License-Identifier: MIT
#include "race/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/api/device.hpp"
#include "core/clock.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/nn.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/optim.hpp"

namespace overtake::race {
namespace {

/// One training from the first weights, or up to where it was stopped.
FitReport fit(const RaceTask& task, int layers, const Device& device, int epochs) {
  nn::Sequential model = race_network(layers, task.options.seed);
  const auto begin = Clock::now();
  model.to(device);
  device.synchronize();
  const double weights_seconds = seconds_since(begin);

  optim::SGD optimizer(model.parameters(), task.options.learning_rate);
  TrainerOptions options;
  options.epochs = epochs;
  options.batch_size = task.options.batch;
  options.shuffle = false;
  options.seed = task.options.seed;
  options.report_every = epochs;
  options.check_data = false;
  options.check_result = false;
  options.stop = task.stop;
  FitReport report = Trainer(model, nn::Loss::cross_entropy(), optimizer, options).fit(task.inputs, task.labels);
  report.seconds.transfer += weights_seconds;
  return report;
}

/// Empty when it was stopped.
std::optional<FitReport> train(const RaceTask& task, int layers, const Device& device, int epochs) {
  FitReport report = fit(task, layers, device, epochs);
  if (report.stop_reason == StopReason::interrupted) return std::nullopt;
  return report;
}

int epochs_in_budget(const RaceOptions& options, double epoch_seconds) {
  if (options.budget_seconds <= 0 || epoch_seconds <= 0) {
    return options.epochs;
  }
  const double fit = std::floor(options.budget_seconds / (options.repeat * epoch_seconds));
  return static_cast<int>(std::clamp(fit, 1.0, static_cast<double>(options.epochs)));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// A training that diverged has no last record with figures; its losses stay NaN.
void take_losses(const FitReport& report, RaceCell& cell) {
  if (report.epochs.empty()) {
    return;
  }
  cell.final_loss = report.last().train_loss;
  cell.train_error = report.last().train_error;
}

}  // namespace

nn::Sequential race_network(int layers, std::uint64_t seed) {
  nn::manual_seed(seed);
  nn::Sequential model;
  std::int64_t width = 2;
  for (int i = 1; i < layers; ++i) {
    model.add(nn::Linear(width, 2 * width)).add(nn::ReLU());
    width *= 2;
  }
  model.add(nn::Linear(width, 2));
  return model;
}

MemoryPlan memory_of(const RaceOptions& options, int layers, const DeviceInfo& device) {
  constexpr std::uint64_t programs = std::uint64_t{10} << 20;  // of products of many widths, which stay
  const bool here = is_in_host_memory(device.kind);
  const MemoryPlace place = here ? MemoryPlace::host : MemoryPlace::device;
  const std::uint64_t weights = sizeof(float) * static_cast<std::uint64_t>(race_parameters(layers));
  const std::uint64_t widest = std::uint64_t{1} << layers;
  const auto batch = static_cast<std::uint64_t>(std::min(options.batch, options.samples));
  MemoryPlan plan;
  plan.add("programs that compute", here ? programs : 0);
  plan.add("weights of a layer as they are drawn", sizeof(float) * widest * widest / 2);
  plan.add("weights and gradients", 2 * weights, place);
  plan.add("layers of a batch", 2 * sizeof(float) * batch * 2 * widest, place);  // 4 + 8 + ... + widest
  if (device.kind == DeviceKind::cpu) return plan;
  plan.add("weights as they are made", weights);
  // Of blocks that are up to an eighth larger than what was asked for (backend/common/caching_allocator.hpp).
  if (here) plan.add("unused ends of blocks", plan.bytes(place) / 16);
  return plan;
}

void keep_to_host_limit(const RaceTask& task, int layers, const Device& device) {
  const std::uint64_t limit = task.options.host_memory_limit;
  if (limit == 0) return;
  const MemoryPlan plan = memory_of(task.options, layers, device.info());
  const std::uint64_t need = plan.bytes(MemoryPlace::host);
  if (need > task.host_left) {
    throw DeviceError(fmt::format("training needs {} of the computer's memory, and of the limit of {} {} are left: {}",
                                  report::bytes(need), report::bytes(limit), report::bytes(task.host_left),
                                  to_text(plan, MemoryPlace::host)),
                      memory_cure(0, limit, "race smaller networks."));
  }
  constexpr std::uint64_t nothing = 1;  // of what is kept for later
  for (const std::string& name : task.options.devices) {
    const Device other(name);
    if (!is_in_host_memory(other.info().kind)) continue;
    other.set_memory_limit(nothing);
    other.set_memory_limit(task.options.memory_limit);
  }
  if (!is_in_host_memory(device.info().kind)) return;
  std::uint64_t own = task.host_left;  // without what is no array of the device
  for (const MemoryPart& part : plan.parts) {
    const bool is_array = part.what == "weights and gradients" || part.what == "layers of a batch";
    own -= is_array ? 0 : part.bytes;
  }
  if (device.info().kind == DeviceKind::cpu) own += task.points_held;
  device.set_memory_limit(task.options.memory_limit > 0 ? std::min(task.options.memory_limit, own) : own);
}

std::uint64_t planned_bytes(const RaceTask& task, int layers, const Device& device) {
  StopToken at_once;
  at_once.request();
  const RaceTask stopped{task.inputs, task.labels, task.options, &at_once};
  std::uint64_t most = 0;
  // In the order of a race, whose warm-up begins with one epoch and two: what lacks memory first is said.
  for (const int epochs : {1, std::min(2, task.options.epochs), task.options.epochs}) {
    most = std::max(most, fit(stopped, layers, device, epochs).plan_bytes);
  }
  return most + static_cast<std::uint64_t>(race_parameters(layers)) * sizeof(float);  // which no plan of a step holds
}

std::optional<Runner> warm_up(const RaceTask& task, int layers, const Device& device) {
  // A first epoch may take seconds because kernels are compiled in it; one this long is slow in itself.
  constexpr double long_epoch_seconds = 10;
  const auto pace = placement::fastest_pace(
      device, 0, [&](int epochs) { return train(task, layers, device, epochs); }, task.options.epochs,
      std::max(long_epoch_seconds, task.options.budget_seconds));
  if (!pace) {
    return std::nullopt;
  }
  return Runner{device, epochs_in_budget(task.options, pace->epoch_seconds), *pace};
}

std::optional<RaceCell> measure(const RaceTask& task, int layers, const Runner& runner) {
  set_thread_count(runner.pace.threads);
  RaceCell cell;
  cell.device = runner.device.id();
  cell.compile_seconds = runner.pace.compile_seconds;
  cell.transfer_seconds = runner.pace.transfer_seconds;
  cell.threads = runner.pace.threads;
  cell.cut = runner.epochs < task.options.epochs;
  std::vector<double> step_us;
  // The budget is exceeded only by trainings that turn out slower than the warm-up promised, and then not by much.
  const double most_seconds = 1.5 * task.options.budget_seconds;
  double spent = 0;
  for (int i = 0; i < task.options.repeat; ++i) {
    if (i > 0 && task.options.budget_seconds > 0 && spent + spent / i > most_seconds) {
      break;
    }
    const auto report = train(task, layers, runner.device, runner.epochs);
    if (!report) {
      return std::nullopt;
    }
    cell.engine = report->engine;
    cell.steps = report->steps;
    step_us.push_back(report->seconds.compute * 1e6 / static_cast<double>(std::max<std::int64_t>(1, report->steps)));
    spent += report->seconds.compute;
    take_losses(*report, cell);
  }
  cell.repeats = static_cast<int>(step_us.size());
  cell.step_us = median(step_us);
  const auto [fastest, slowest] = std::minmax_element(step_us.begin(), step_us.end());
  cell.spread = (*slowest - *fastest) / 2;
  const double scale = static_cast<double>(task.options.epochs) / runner.epochs;
  cell.seconds = cell.step_us * 1e-6 * static_cast<double>(cell.steps) * scale;
  return cell;
}

bool compare_after(const RaceTask& task, int layers, const Runner& runner, int epochs, RaceCell& cell) {
  if (epochs == runner.epochs) {
    return true;
  }
  set_thread_count(runner.pace.threads);
  const auto report = train(task, layers, runner.device, epochs);
  if (!report) {
    return false;
  }
  take_losses(*report, cell);
  return true;
}

}  // namespace overtake::race
