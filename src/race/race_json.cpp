// SPDX-License-Identifier: MIT
// The schema "overtake.race/1" (docs/cli.md).
#include <utility>

#include "overtake/race.hpp"

namespace overtake {
namespace {

using report::Json;

Json settings_json(const RaceOptions& options) {
  Json layers = Json::array();
  for (const int count : options.layers) {
    layers.push(count);
  }
  Json devices = Json::array();
  for (const std::string& device : options.devices) {
    devices.push(device);
  }
  Json json = Json::object();
  json.set("layers", std::move(layers)).set("epochs", options.epochs).set("batch", options.batch);
  json.set("samples", options.samples).set("devices", std::move(devices)).set("repeat", options.repeat);
  json.set("seed", options.seed).set("learning_rate", options.learning_rate);
  json.set("memory_limit", options.memory_limit).set("budget_seconds", options.budget_seconds);
  return json.set("precision", "float32");
}

Json cell_json(const RaceCell& cell) {
  Json json = Json::object();
  if (!cell.failure.empty()) {
    return json.set("error", cell.failure);
  }
  json.set("seconds", cell.seconds).set("step_us", cell.step_us).set("spread", cell.spread);
  json.set("compile_seconds", cell.compile_seconds).set("transfer_seconds", cell.transfer_seconds);
  json.set("threads", cell.threads > 0 ? Json(cell.threads) : Json()).set("engine", cell.engine);
  json.set("final_loss", cell.final_loss).set("train_error", cell.train_error);
  return json.set("steps", cell.steps).set("repeats", cell.repeats).set("cut", cell.cut);
}

Json row_json(const RaceRow& row) {
  Json results = Json::object();
  for (const RaceCell& cell : row.results) {
    results.set(cell.device, cell_json(cell));
  }
  Json json = Json::object();
  json.set("layers", row.layers).set("parameters", row.parameters).set("results", std::move(results));
  json.set("compared_steps", row.compared_steps);
  return json.set("max_loss_difference", row.max_loss_difference);
}

}  // namespace

report::Json device_json(const DeviceInfo& info) {
  Json json = Json::object();
  json.set("id", info.id).set("backend", info.backend).set("name", info.name).set("driver", info.driver);
  json.set("memory_bytes", info.memory_bytes).set("compute_units", info.compute_units).set("clock_mhz", info.clock_mhz);
  json.set("clock_origin", info.clock_origin.empty() ? Json() : Json(info.clock_origin));
  json.set("peak_gflops", info.peak_gflops).set("peak_gbs", info.peak_gbs);
  json.set("double_precision", info.double_precision).set("usable", info.usable);
  if (!info.usable || !info.reason.empty()) {
    json.set("reason", info.reason).set("hint", info.hint);
  }
  return json;
}

report::Json machine_json(const Machine& machine, std::span<const DeviceInfo> devices) {
  Json drivers = Json::object();
  for (const DeviceInfo& device : devices) {
    drivers.set(device.id, device.driver);
  }
  Json json = Json::object();
  json.set("cpu", machine.cpu).set("cores", machine.cores).set("memory_bytes", machine.memory_bytes);
  json.set("os", machine.os).set("overtake", machine.version);
  return json.set("drivers", std::move(drivers));
}

std::string race_json(const RaceResult& result) {
  Json devices = Json::array();
  for (const DeviceInfo& device : result.devices) {
    devices.push(device_json(device));
  }
  for (const DeviceInfo& device : result.missing) {
    devices.push(device_json(device));
  }
  Json rows = Json::array();
  for (const RaceRow& row : result.rows) {
    rows.push(row_json(row));
  }
  Json notes = Json::array();
  for (const std::string& note : result.notes) {
    notes.push(note);
  }
  Json crossover = Json::object();
  crossover.set("parameters", result.crossover.parameters ? Json(*result.crossover.parameters) : Json());
  crossover.set("statement", result.crossover.statement);
  Json json = Json::object();
  json.set("schema", "overtake.race/1").set("machine", machine_json(result.machine, result.devices));
  json.set("settings", settings_json(result.options)).set("devices", std::move(devices));
  json.set("rows", std::move(rows)).set("crossover", std::move(crossover)).set("notes", std::move(notes));
  return json.dump() + "\n";
}

}  // namespace overtake
