// SPDX-License-Identifier: MIT
#include "output/plan_output.hpp"

#include <fmt/format.h>

#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/search_output.hpp"
#include "output/terminal.hpp"
#include "overtake/error.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Prediction;

constexpr const char* estimate_note =
    "Devices elsewhere are estimates from data sheets, scaled by what was measured here; docs/placement.md says how "
    "far\n"
    "they were off on machines that were measured.\n";

std::string bytes_text(std::uint64_t bytes) { return bytes > 0 ? report::bytes(bytes) : ""; }

void add_row(report::Table& table, const Prediction& of) {
  if (!of.failure.empty()) return;
  table.rows.push_back({of.device, report::seconds(of.seconds), report::seconds(of.start_seconds),
                        report::seconds(of.prepare_seconds), report::seconds(of.transfer_seconds),
                        report::seconds(of.compute_seconds), report::seconds(of.finish_seconds),
                        bytes_text(of.device_bytes), bytes_text(of.host_bytes)});
}

std::string text_of(const Plan& plan) {
  report::Table table;
  table.columns = {{"device", report::Align::left},
                   {"time"},
                   {"start"},
                   {"prepare"},
                   {"transfer"},
                   {"compute"},
                   {"finish"},
                   {"device memory"},
                   {"host memory"}};
  std::string failures;
  for (const auto* predictions : {&plan.placement.predictions, &plan.elsewhere}) {
    for (const Prediction& of : *predictions) {
      add_row(table, of);
      if (!of.failure.empty()) failures += fmt::format("{}: cannot run it: {}\n", of.device, of.failure);
    }
  }
  const std::string head = plan.search ? plan_text(*plan.search) : plan.head;
  std::string text = head.empty() ? "" : "plan: " + head + "\n";
  text += "\n" + report::table_text(table, standard_output().width) + failures;
  if (!plan.elsewhere.empty()) text += estimate_note;
  if (!plan.placement.device.empty()) {
    text += fmt::format("\nchoice: {} ({})\n", plan.placement.device, plan.placement.reason);
  }
  return text + "nothing was run\n";
}

report::Json list_of(const std::vector<Prediction>& predictions) {
  report::Json list = report::Json::array();
  for (const Prediction& of : predictions) list.push(to_json(of));
  return list;
}

std::string json_of(const Plan& plan) {
  report::Json json = report::Json::object();
  json.set("schema", "overtake.plan/1").set("command", plan.command);
  if (plan.search) {
    report::Json search = report::Json::object();
    search.set("candidates", plan.search->candidates).set("folds", plan.search->folds);
    json.set("search", search.set("jobs", plan.search->jobs).set("models", plan.search->models));
  }
  json.set("device", report::Json::text_or_null(plan.placement.device)).set("device_reason", plan.placement.reason);
  json.set("predictions", list_of(plan.placement.predictions)).set("elsewhere", list_of(plan.elsewhere));
  return json.set("counts", plan.counts).dump() + "\n";
}

}  // namespace

std::vector<overtake::DeviceInfo> devices_elsewhere(const std::string& names) {
  std::vector<overtake::DeviceInfo> devices;
  for (const std::string& name : parse_words(names)) devices.push_back(overtake::known_device(name));
  return devices;
}

void show_plan(const Plan& plan, const std::string& json_path) {
  for (const std::string& note : plan.placement.notes) print_error(fmt::format("note: {}\n", note));
  if (!json_path.empty()) write_output(json_path, json_of(plan));
  if (!is_standard_output(json_path)) print(text_of(plan));
}

void take_choice(const overtake::Placement& chosen, overtake::Placement& placement) {
  placement.device = chosen.device;
  placement.reason = chosen.reason;
  placement.notes.insert(placement.notes.end(), chosen.notes.begin(), chosen.notes.end());
  for (Prediction& of : placement.predictions) {
    if (of.device == chosen.device) of.failure.clear();
  }
}

std::string predicted_text(const overtake::Placement& placement) {
  const Prediction* of = placement.chosen();
  return of == nullptr ? "" : fmt::format(", predicted {}", report::seconds(of->seconds - of->start_seconds));
}

void compare_times(const Prediction* predicted, double compute_seconds) {
  if (predicted == nullptr || !overtake::doubt_rates(*predicted, compute_seconds)) return;
  print_error(fmt::format(
      "note: computing took {} where {} were predicted: the next command measures the speed of the cpu again\n",
      report::seconds(compute_seconds), report::seconds(predicted->compute_seconds)));
}

}  // namespace cli
