// SPDX-License-Identifier: MIT
// overtake race: one network of growing size on every processor.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/plan_output.hpp"
#include "output/terminal.hpp"
#include "output/transfers_line.hpp"
#include "overtake/race.hpp"
#include "overtake/report.hpp"
#include "system.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct Options {
  std::string layers = "2..12";
  std::string devices;
  overtake::RaceOptions race;
  bool quick = false;
  bool ascii = false;
  std::string json, html;
  ComputeFlags compute;  ///< --plan and --on
};

/// Says which network runs where, and how long the race has taken.
class Watcher : public overtake::ProgressObserver {
 public:
  void on_progress(const overtake::Progress& now) override {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    progress_.update(
        fmt::format("racing {} ({} of {}), {} so far", now.what, now.done + 1, now.total, report::seconds(seconds)));
  }
  void clear() { progress_.clear(); }

 private:
  ProgressLine progress_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

std::string result_text(const overtake::RaceResult& result, bool ascii) {
  const Terminal terminal = standard_output();
  std::string text = report::table_text(overtake::race_table(result), terminal.width);
  const bool cut = std::any_of(result.rows.begin(), result.rows.end(), [](const overtake::RaceRow& row) {
    return std::any_of(row.results.begin(), row.results.end(), [](const overtake::RaceCell& cell) { return cell.cut; });
  });
  text += cut ? "* cut by the budget: fewer steps than asked for were measured\n\n" : "\n";
  report::ChartStyle style;
  style.width = terminal.interactive ? std::min(terminal.width, 120) : 100;
  style.unicode = terminal.unicode && !ascii;
  style.color = terminal.interactive;
  text += report::chart_text(overtake::race_chart(result), style) + "\n";
  for (const std::string& note : result.notes) text += "note: " + note + "\n";
  return text + result.crossover.statement + "\n" + transfers_line(result.transfers);
}

/// What the race takes on a device. Where its memory was looked at, networks that do not fit take no time.
overtake::Prediction predict(overtake::RaceOptions options, const overtake::RaceResult& looked,
                             const overtake::DeviceInfo& device) {
  const std::vector<std::string>& raced = looked.options.devices;
  const auto at = static_cast<std::size_t>(std::find(raced.begin(), raced.end(), device.id) - raced.begin());
  if (!raced.empty()) options.host_memory_limit = 0;  // which the points were held against
  if (at == raced.size()) return predict_race(options, device);
  options.memory_limit = 0;
  options.layers.clear();
  overtake::Prediction of;
  std::uint64_t most_bytes = 0;
  for (const overtake::RaceRow& row : looked.rows) {
    if (row.results[at].failure.empty()) options.layers.push_back(row.layers);
    most_bytes = std::max(most_bytes, row.results[at].planned_bytes);
  }
  of.failure = looked.rows.front().results[at].failure;
  if (!options.layers.empty()) of = predict_race(options, device);
  of.device = device.id;
  of.device_bytes = most_bytes;
  return of;
}

int plan_race(const Options& options) {
  Plan plan;
  plan.command = "race";
  overtake::RaceResult looked;  // the run's own look at memory, before other devices' drivers take some
  if (options.race.memory_limit > 0 || options.race.host_memory_limit > 0) looked = check_race(options.race);
  std::vector<overtake::DeviceInfo> devices;
  for (const std::string& name : options.race.devices) devices.push_back(overtake::Device(name).info());
  if (devices.empty()) devices = overtake::list_devices();
  for (const overtake::DeviceInfo& device : devices) {
    if (device.id == "null") continue;
    plan.placement.predictions.push_back(predict(options.race, looked, device));
    if (!device.usable) plan.placement.predictions.back().failure = device.reason;
  }
  for (const overtake::DeviceInfo& device : devices_elsewhere(options.compute.elsewhere)) {
    plan.elsewhere.push_back(predict(options.race, looked, device));
  }
  plan.placement.notes = overtake::take_prediction_notes();
  plan.placement.notes.insert(plan.placement.notes.end(), looked.notes.begin(), looked.notes.end());
  show_plan(plan, options.json);
  return exit_ok;
}

int run(Options& options) {
  check_outputs({{"--json", options.json}, {"--report", options.html}});
  options.race.layers = parse_ranges(options.layers, "--layers");
  options.race.devices = parse_words(options.devices);
  if (options.quick) {
    options.race.budget_seconds = std::min(options.race.budget_seconds, 1.0);
    options.race.repeat = std::min(options.race.repeat, 3);
  }
  if (options.compute.plan) return plan_race(options);
  Watcher watcher;
  const overtake::RaceResult result = overtake::run_race(options.race, &watcher, &system::stop_on_interrupt());
  watcher.clear();
  if (!options.json.empty()) write_output(options.json, overtake::race_json(result));
  if (!options.html.empty()) write_output(options.html, overtake::race_html(result));
  if (!is_standard_output(options.json) && !is_standard_output(options.html)) {
    print_drawing(result_text(result, options.ascii));
  }
  return result.interrupted ? exit_interrupted : exit_ok;
}

}  // namespace

Command add_race(CLI::App& root) {
  auto options = std::make_shared<Options>();
  overtake::RaceOptions& race = options->race;
  CLI::App* app =
      root.add_subcommand("race", "Train one network of growing size on every processor; find the crossover");
  app->add_option("--layers", options->layers, "Linear layers in all: 2..8 or 2,4,8 (from 2 to 14)")
      ->capture_default_str();
  app->add_option("--epochs", race.epochs, "Passes over the data")->capture_default_str();
  app->add_option("--batch", race.batch, "Rows in a training step")->capture_default_str();
  app->add_option("--samples", race.samples, "Points of the disc data")->capture_default_str();
  app->add_option("--devices", options->devices, "For example cpu,cuda:0,opencl:0 (default: cpu and the first GPU)")
      ->type_name("DEVICE,...");
  app->add_option("--repeat", race.repeat, "Measured trainings of each network on each device")->capture_default_str();
  add_seed_flag(*app, race.seed, "Of the data and the first weights");
  app->add_option("--lr", race.learning_rate, "Learning rate of plain SGD")->capture_default_str();
  app->add_option(
         "--budget", race.budget_seconds,
         "Seconds of measuring for each network on each device, all repeats together; longer trainings are cut "
         "and marked (0: never)")
      ->capture_default_str();
  app->add_flag("--quick", options->quick, "At most 3 repeats and a budget of 1 second");
  add_memory_limit_flag(*app, race.memory_limit, "Most memory on each device");
  add_plan_flags(*app, options->compute);
  add_host_memory_limit_flag(*app, race.host_memory_limit);
  add_json_flag(*app, options->json);
  add_report_flag(*app, options->html);
  app->add_flag("--ascii", options->ascii, "Draw the chart in ASCII");
  app->footer(
      "Examples:\n"
      "  overtake race\n"
      "  overtake race --quick --layers 2..8 --report race.html\n"
      "  overtake race --layers 2..8 --epochs 100 --devices cpu,cuda:0 --json race.json");
  return {app, [options] { return run(*options); }};
}

}  // namespace cli
