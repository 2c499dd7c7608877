// SPDX-License-Identifier: MIT
// overtake devices: every processor, or why it cannot be used.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/device.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct Options {
  bool no_measure = false;
  std::string json;
};

struct Entry {
  overtake::DeviceInfo info;
  std::optional<overtake::MeasuredPeak> measured;
};

/// What is to be said of a device that could not be opened: what the list says now, if the trial of its driver failed.
overtake::DeviceInfo after_failure(overtake::DeviceInfo info, const overtake::DeviceError& error) {
  for (const overtake::DeviceInfo& now : overtake::list_devices()) {
    if (now.id == info.id && !now.usable) return now;
  }
  info.usable = false;
  info.reason = error.what();
  info.hint = error.hint();
  return info;
}

/// Opens each usable device for its full description and its measured peaks. One that fails then is shown as unusable.
std::vector<Entry> look_at_devices(bool measure) {
  std::vector<Entry> entries;
  for (overtake::DeviceInfo& info : overtake::list_devices()) {
    Entry entry{std::move(info), {}};
    if (entry.info.usable && measure) {
      try {
        const overtake::Device device(entry.info.id);
        entry.info = device.info();
        entry.measured = overtake::measure_peak(device);
      } catch (const overtake::DeviceError& error) {
        entry.info = after_failure(entry.info, error);
      }
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string known(double value) { return value > 0 ? report::significant(value) : ""; }

report::Table table_of(const std::vector<Entry>& entries) {
  using report::Align;
  report::Table table;
  table.columns = {{"device", Align::left},   {"name", Align::left}, {"memory"},    {"units", Align::right, 1},
                   {"GFLOP/s peak"},          {"measured"},          {"GB/s peak"}, {"measured"},
                   {"driver", Align::left, 2}};
  for (const Entry& entry : entries) {
    const auto& info = entry.info;
    if (!info.usable) continue;
    table.rows.push_back({info.id, info.name, info.memory_bytes > 0 ? report::bytes(info.memory_bytes) : "",
                          info.compute_units > 0 ? fmt::format("{}", info.compute_units) : "", known(info.peak_gflops),
                          entry.measured ? known(entry.measured->gflops) : "", known(info.peak_gbs),
                          entry.measured ? known(entry.measured->gbs) : "", info.driver});
  }
  return table;
}

/// What `line` says of each device, under an empty line.
template <typename Line>
std::string lines_of(const std::vector<Entry>& entries, Line line) {
  std::string text;
  for (const Entry& entry : entries) text += line(entry.info);
  return text.empty() ? text : "\n" + text;
}

/// "cpu: GFLOP/s peak at 3,493 MHz (measured with a chain of additions)".
std::string clock_text(const overtake::DeviceInfo& info) {
  if (!info.usable || !(info.peak_gflops > 0)) return {};
  const std::string origin = info.clock_origin == "measured"  ? "measured with a chain of additions"
                             : info.clock_origin == "cpufreq" ? "the highest that the system names"
                             : info.clock_origin == "cpuinfo" ? "what the system shows now"
                                                              : "from the driver";
  return fmt::format("{}: GFLOP/s peak at {} MHz ({})\n", info.id, report::count(std::llround(info.clock_mhz)), origin);
}

std::string precision_text(const overtake::DeviceInfo& info) {
  if (!info.usable || info.double_precision) return {};
  return fmt::format("{}: no double precision; forests there are the same, but slower\n", info.id);
}

/// Why the device cannot be used, or is slower than it could be, with the cure.
std::string reason_text(const overtake::DeviceInfo& info) {
  if (info.usable && info.reason.empty()) return {};
  const std::string hint = info.hint.empty() ? "" : fmt::format("  hint: {}\n", info.hint);
  return fmt::format("{}: {}{}\n{}", info.id, info.usable ? "" : "cannot be used: ", info.reason, hint);
}

std::string json_of(const std::vector<Entry>& entries) {
  report::Json devices = report::Json::array();
  std::vector<overtake::DeviceInfo> infos;
  for (const Entry& entry : entries) {
    report::Json json = report::device_json(entry.info);
    json.set("measured_gflops", entry.measured ? report::Json(entry.measured->gflops) : report::Json());
    json.set("measured_gbs", entry.measured ? report::Json(entry.measured->gbs) : report::Json());
    devices.push(std::move(json));
    infos.push_back(entry.info);
  }
  report::Json json = report::Json::object();
  json.set("schema", "overtake.devices/1").set("machine", report::machine_json(report::this_machine(), infos));
  return json.set("devices", std::move(devices)).dump() + "\n";
}

int run(const Options& options) {
  check_outputs({{"--json", options.json}});
  const auto entries = look_at_devices(!options.no_measure);
  if (!options.json.empty()) write_output(options.json, json_of(entries));
  if (!is_standard_output(options.json)) {
    print(report::table_text(table_of(entries), standard_output().width) + lines_of(entries, clock_text) +
          lines_of(entries, precision_text) + lines_of(entries, reason_text));
  }
  return exit_ok;
}

}  // namespace

Command add_devices(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("devices", "Show every processor: name, memory, theoretical and measured peaks");
  app->add_flag("--no-measure", options->no_measure, "Only list; do not measure GFLOP/s and GB/s");
  add_json_flag(*app, options->json, true);
  app->footer("Examples:\n  overtake devices\n  overtake devices --json --no-measure");
  return {app, [options] { return run(*options); }};
}

}  // namespace cli
