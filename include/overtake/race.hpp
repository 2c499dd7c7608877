// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/placement.hpp"
#include "overtake/progress.hpp"
#include "overtake/report.hpp"
#include "overtake/transfer.hpp"

/// The race: one network of growing size trained on every processor, and the size from which the GPU stays ahead.
namespace overtake {

/// What is raced. The network: `layers` linear layers in all, hidden widths 4, 8, 16, ..., two inputs, two outputs,
/// ReLU between; disc data (overtake::disc), cross entropy, plain SGD, rows in their order.
struct RaceOptions {
  std::vector<int> layers = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};  ///< each from 2 to 14
  int epochs = 100;
  std::int64_t batch = 100;
  std::int64_t samples = 1000;
  std::vector<std::string> devices;  ///< empty: the CPU and the first GPU; without one every usable OpenCL device
  int repeat = 5;
  std::uint64_t seed = 0;
  double learning_rate = 0.1;
  std::uint64_t memory_limit = 0;       ///< bytes for each device; 0: no limit
  std::uint64_t host_memory_limit = 0;  ///< bytes of the computer's memory for the whole process; 0: no limit
  /// Seconds of measuring for each network on each device, repeats together. A training that would take longer is cut
  /// to fewer epochs and at last to fewer repeats (never less than one of either), and the result says so. 0: never
  /// cut.
  double budget_seconds = 10;
};

/// One network on one device. Times are medians over the repeats.
struct RaceCell {
  std::string device;
  std::string failure;  ///< not empty: why there are no figures
  double seconds = 0;   ///< compute time of all epochs; if cut, step time x steps
  double step_us = 0;
  double spread = 0;            ///< half the distance from the fastest to the slowest repeat, us a step
  double compile_seconds = 0;   ///< of the first training, caches as they were found
  double transfer_seconds = 0;  ///< weights and data to the device
  int threads = 0;              ///< cpu: the faster of one and all; 0 elsewhere
  std::string engine;
  std::int64_t steps = 0;           ///< measured in each repeat
  int repeats = 0;                  ///< fewer than asked for where even one epoch takes most of the budget
  bool cut = false;                 ///< fewer steps than asked for
  std::uint64_t planned_bytes = 0;  ///< on the device, of check_race()
  double final_loss = std::numeric_limits<double>::quiet_NaN();   ///< after RaceRow::compared_steps
  double train_error = std::numeric_limits<double>::quiet_NaN();  ///< likewise
};

struct RaceRow {
  int layers = 0;
  std::int64_t parameters = 0;
  std::vector<RaceCell> results;  ///< in the order of RaceResult::devices
  /// The steps after which losses are compared: what the most heavily cut device did.
  std::int64_t compared_steps = 0;
  /// Largest |a - b| / max(|a|, |b|) over the final losses of two devices; NaN with fewer than two.
  double max_loss_difference = std::numeric_limits<double>::quiet_NaN();
};

/// One size as crossover() sees it; times in any unit.
struct CrossoverPoint {
  double parameters = 0;
  double cpu = 0, other = 0;
  double cpu_spread = 0, other_spread = 0;
};

struct Crossover {
  std::optional<double> parameters;  ///< none when the other device does not stay ahead
  std::string statement;
};

/// The parameter count from which `name` stays ahead of the CPU: after the last size at which it is behind by more than
/// the spread of both, the point where the two lines meet, interpolated in log-log. When it is ahead at every size, the
/// smallest size. Points in ascending order of parameters; those without positive finite times are left out.
[[nodiscard]] Crossover crossover(std::span<const CrossoverPoint> points, const std::string& name);

struct RaceResult {
  RaceOptions options;  ///< with the devices that raced
  report::Machine machine;
  std::vector<DeviceInfo> devices;  ///< that raced
  std::vector<DeviceInfo> missing;  ///< that could not, with reason and hint
  std::vector<RaceRow> rows;
  Crossover crossover;
  std::vector<std::string> notes;  ///< no GPU and why, cut cells, failures
  bool interrupted = false;
  TransferStats transfers;  ///< of the race
};

/// Runs the race; the observer is told before each network and device. Every device starts each training from the same
/// weights and sees the same batches. Throws UsageError for options out of range and DeviceError for a named device
/// that cannot be used; a network that fails on one device (memory, say) becomes RaceCell::failure. When `stop` is
/// requested, the rows finished so far are returned.
[[nodiscard]] RaceResult run_race(const RaceOptions& options, ProgressObserver* observer = nullptr,
                                  const StopToken* stop = nullptr);

/// Goes run_race()'s own way up to the first step of each training, which plans its memory: rows of cells with
/// RaceCell::planned_bytes or RaceCell::failure, and the notes on these. Throws what run_race() throws.
[[nodiscard]] RaceResult check_race(const RaceOptions& options);

/// What the race takes on one device, within its budget; nothing is run. Throws UsageError for options out of range.
[[nodiscard]] Prediction predict_race(const RaceOptions& options, const DeviceInfo& device);

/// Parameters of the race's network.
[[nodiscard]] std::int64_t race_parameters(int layers);

/// The result as a table: one row a network, step time of every device, ratio, losses.
[[nodiscard]] report::Table race_table(const RaceResult& result);
/// Time per training step against parameters, with the crossover.
[[nodiscard]] report::Chart race_chart(const RaceResult& result);
/// JSON of the schema "overtake.race/1" (docs/cli.md).
[[nodiscard]] std::string race_json(const RaceResult& result);
/// A self-contained HTML page.
[[nodiscard]] std::string race_html(const RaceResult& result);

}  // namespace overtake
