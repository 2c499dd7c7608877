// SPDX-License-Identifier: MIT
#include "overtake/race.hpp"
#include "overtake/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>

#include "backend/api/device.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "placement/calibration.hpp"
#include "race/cell.hpp"

namespace overtake {

namespace race {

void check(const RaceOptions& options) {
  const auto require = [](bool ok, const std::string& message) {
    if (!ok) {
      throw UsageError("[race] " + message);
    }
  };
  require(!options.layers.empty(), "no number of layers was given");
  for (const int layers : options.layers) {
    require(layers >= 2 && layers <= 14, fmt::format("layers must be from 2 to 14, not {}", layers));
  }
  require(options.epochs >= 1, fmt::format("epochs must be at least 1, not {}", options.epochs));
  require(options.batch >= 1, fmt::format("batch must be at least 1, not {}", options.batch));
  require(options.samples >= 1 && options.samples < (std::int64_t{1} << 30),
          fmt::format("samples must be from 1 to 2^30 - 1, not {}", options.samples));
  require(options.repeat >= 1, fmt::format("repeat must be at least 1, not {}", options.repeat));
  require(std::isfinite(options.learning_rate) && options.learning_rate > 0, "the learning rate must be positive");
  require(std::isfinite(options.budget_seconds) && options.budget_seconds >= 0, "the budget must not be negative");
}

}  // namespace race

namespace {

/// The CPU and the first GPU, or what else computes. One that fails when it is opened, as at the trial of its driver,
/// is left out.
std::vector<std::string> default_devices(const std::vector<DeviceInfo>& all) {
  std::vector<std::string> ids = {"cpu"};
  for (const DeviceKind kind : {DeviceKind::gpu, DeviceKind::opencl_on_cpu}) {
    for (const DeviceInfo& device : all) {
      if (!device.usable || device.kind != kind || !is_available(device.id)) continue;
      ids.push_back(device.id);
      if (kind == DeviceKind::gpu) return ids;
    }
  }
  return ids;
}

/// Opens the devices that were asked for, each once, in order.
std::vector<Device> open_devices(const std::vector<std::string>& names) {
  std::vector<Device> devices;
  for (const std::string& name : names) {
    const Device device(name);
    if (std::find(devices.begin(), devices.end(), device) == devices.end()) {
      devices.push_back(device);
    }
  }
  return devices;
}

/// Losses are not negative, so the smallest and the largest differ most.
double max_loss_difference(const RaceRow& row) {
  std::vector<double> losses;
  for (const RaceCell& cell : row.results) {
    if (std::isfinite(cell.final_loss)) losses.push_back(cell.final_loss);
  }
  if (losses.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto [least, most] = std::minmax_element(losses.begin(), losses.end());
  return *most > 0 ? (*most - *least) / *most : 0;
}

/// All devices on one network. Empty when the stop token was requested.
std::optional<RaceRow> race_row(const race::RaceTask& task, int layers, const std::vector<Device>& devices,
                                const std::function<void(const std::string&)>& announce) {
  RaceRow row;
  row.layers = layers;
  row.parameters = race_parameters(layers);
  std::vector<std::optional<race::Runner>> runners;
  int compared = task.options.epochs;
  for (const Device& device : devices) {
    announce(device.id());
    RaceCell cell;
    cell.device = device.id();
    runners.emplace_back();
    try {
      race::keep_to_host_limit(task, layers, device);
      if (task.is_plan) {
        cell.planned_bytes = race::planned_bytes(task, layers, device);
        row.results.push_back(cell);
        continue;
      }
      const auto runner = race::warm_up(task, layers, device);
      const auto measured = runner ? race::measure(task, layers, *runner) : std::nullopt;
      if (!measured) {
        return std::nullopt;
      }
      runners.back() = runner;
      cell = *measured;
      compared = std::min(compared, runner->epochs);
    } catch (const DeviceError& error) {
      cell.failure = error.what();
    }
    row.results.push_back(cell);
  }
  for (std::size_t i = 0; i < runners.size(); ++i) {
    if (!runners[i]) continue;
    race::keep_to_host_limit(task, layers, devices[i]);
    if (!race::compare_after(task, layers, *runners[i], compared, row.results[i])) {
      return std::nullopt;
    }
  }
  const std::int64_t batch = std::min(task.options.batch, task.options.samples);
  row.compared_steps = compared * ((task.options.samples + batch - 1) / batch);
  row.max_loss_difference = max_loss_difference(row);
  return row;
}

/// One note a device for the trainings that were cut, and one for each that failed or diverged.
void note_cells(const std::vector<RaceRow>& rows, const RaceOptions& options, std::vector<std::string>& notes) {
  const std::int64_t batch = std::min(options.batch, options.samples);
  const std::int64_t all_steps = options.epochs * ((options.samples + batch - 1) / batch);
  for (std::size_t i = 0; i < options.devices.size(); ++i) {
    std::string cut;
    for (const RaceRow& row : rows) {
      const RaceCell& cell = row.results[i];
      if (!cell.failure.empty()) {
        notes.push_back(fmt::format("{} layers on {}: {}", row.layers, cell.device, cell.failure));
      } else if (cell.repeats > 0 && std::isnan(cell.final_loss)) {
        notes.push_back(fmt::format("{} layers on {}: the loss became NaN or infinite.", row.layers, cell.device));
      }
      if (cell.cut) {
        cut += fmt::format("{}{} layers after {}", cut.empty() ? "" : ", ", row.layers, report::count(cell.steps));
      }
    }
    if (!cut.empty()) {
      notes.push_back(
          fmt::format("{} was cut by the budget of {} s: {} of {} steps. Its seconds are scaled up, and losses "
                      "are compared after the same steps on every device.",
                      options.devices[i], report::significant(options.budget_seconds), cut, report::count(all_steps)));
    }
  }
}

/// Against the device that is fastest on the largest network both finished.
Crossover find_crossover(const RaceResult& result) {
  const auto step_us = [](const RaceRow& row, std::size_t device) {
    return row.results[device].failure.empty() ? row.results[device].step_us : 0.0;
  };
  std::optional<std::size_t> cpu, other;
  for (std::size_t i = 0; i < result.devices.size(); ++i) {
    if (result.devices[i].kind == DeviceKind::cpu) {
      cpu = i;
      continue;
    }
    for (auto row = result.rows.rbegin(); row != result.rows.rend(); ++row) {
      if (step_us(*row, i) > 0 && (!other || (step_us(*row, *other) > 0 && step_us(*row, i) < step_us(*row, *other)))) {
        other = i;
        break;
      }
    }
  }
  if (!other) {
    return {{}, "Only the CPU raced, so there is nothing to overtake it."};
  }
  if (!cpu) {
    return {{}, "The CPU did not race, so there is nothing to overtake."};
  }
  std::vector<CrossoverPoint> points;
  for (const RaceRow& row : result.rows) {
    points.push_back({static_cast<double>(row.parameters), step_us(row, *cpu), step_us(row, *other),
                      row.results[*cpu].spread, row.results[*other].spread});
  }
  const DeviceInfo& device = result.devices[*other];
  Crossover found = crossover(points, fmt::format("{} ({})", device.id, device.name));
  if (device.kind != DeviceKind::gpu) {
    found.statement = fmt::format("No GPU raced; {} runs on the CPU as well. {}", device.id, found.statement);
  }
  return found;
}

}  // namespace

std::int64_t race_parameters(int layers) {
  std::int64_t total = 0;
  std::int64_t width = 2;
  for (int i = 1; i < layers; ++i) {
    total += 2 * width * (width + 1);
    width *= 2;
  }
  return total + 2 * (width + 1);
}

/// The points, and their copies as arrays.
MemoryPlan race::memory_of_points(const RaceOptions& options) {
  constexpr std::uint64_t of_point = 2 * (2 * sizeof(float) + sizeof(std::int32_t)) + 2 * sizeof(double);
  MemoryPlan plan;
  plan.add("points", static_cast<std::uint64_t>(options.samples) * of_point);
  return plan;
}

void race::require_points(const RaceOptions& options) {
  require_host_memory(memory_of_points(options), options.host_memory_limit,
                      fmt::format("a race over {} points", options.samples), "lower --samples.");
}

namespace {

/// The race, or where `is_plan` what its trainings plan.
RaceResult make_rows(const RaceOptions& options, ProgressObserver* observer, const StopToken* stop, bool is_plan) {
  race::check(options);
  RaceResult result;
  result.options = options;
  std::sort(result.options.layers.begin(), result.options.layers.end());
  const auto repeated = std::unique(result.options.layers.begin(), result.options.layers.end());
  result.options.layers.erase(repeated, result.options.layers.end());

  const bool is_asked = !options.devices.empty();  // then no driver of others is looked at
  const std::vector<Device> devices = open_devices(is_asked ? options.devices : default_devices(list_devices()));
  std::vector<DeviceInfo> all;
  if (!is_asked) all = list_devices();  // with the verdicts of trials
  result.options.devices.clear();
  for (const Device& device : devices) {
    device.set_memory_limit(options.memory_limit);
    result.devices.push_back(device.info());
    result.options.devices.push_back(device.id());
  }
  std::copy_if(all.begin(), all.end(), std::back_inserter(result.missing),
               [](const DeviceInfo& info) { return !info.usable; });
  const auto is_gpu = [](const DeviceInfo& info) { return info.usable && info.kind == DeviceKind::gpu; };
  if (!is_asked && std::none_of(all.begin(), all.end(), is_gpu)) {
    result.notes.push_back("No usable GPU was found; overtake devices says why.");
  }

  if (is_plan) (void)placement::memory_held_before();  // what predictions of memory begin with
  race::require_points(options);
  const TransferStats before = transfer_stats();
  const Dataset data = disc(options.samples, options.seed);
  race::RaceTask task{Array::from(data.inputs, {data.rows, data.features}), Array::from(data.labels, {data.rows}),
                      result.options, stop, is_plan};
  task.host_left = host_memory_left(options.host_memory_limit);
  task.points_held = Device("cpu").memory_held();
  const int total = static_cast<int>(result.options.layers.size() * devices.size());
  int done = 0;
  for (const int layers : result.options.layers) {
    const auto announce = [&](const std::string& device) {
      if (observer != nullptr) {
        observer->on_progress({.done = done, .total = total, .what = fmt::format("{} layers on {}", layers, device)});
      }
      ++done;
    };
    const auto row = race_row(task, layers, devices, announce);
    if (!row) {
      result.interrupted = true;
      result.notes.push_back("The race was stopped before its end.");
      break;
    }
    result.rows.push_back(*row);
  }
  note_cells(result.rows, result.options, result.notes);
  result.transfers = transfers_since(before);
  return result;
}

}  // namespace

RaceResult run_race(const RaceOptions& options, ProgressObserver* observer, const StopToken* stop) {
  RaceResult result = make_rows(options, observer, stop, false);
  result.machine = report::this_machine();
  result.crossover = find_crossover(result);
  return result;
}

RaceResult check_race(const RaceOptions& options) { return make_rows(options, nullptr, nullptr, true); }

}  // namespace overtake
