// SPDX-License-Identifier: MIT
// The schema "overtake.race/1" (docs/cli.md).
#include <utility>

#include "overtake/race.hpp"
#include "overtake/report_transfers.hpp"

namespace overtake {
namespace {

using report::Json;

template <typename Value>
Json list_json(const std::vector<Value>& values) {
  Json list = Json::array();
  for (const Value& value : values) {
    list.push(value);
  }
  return list;
}

Json settings_json(const RaceOptions& options) {
  Json json = Json::object();
  json.set("layers", list_json(options.layers)).set("epochs", options.epochs).set("batch", options.batch);
  json.set("samples", options.samples).set("devices", list_json(options.devices)).set("repeat", options.repeat);
  json.set("seed", options.seed).set("learning_rate", options.learning_rate);
  json.set("host_memory_limit", options.host_memory_limit);
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

std::string race_json(const RaceResult& result) {
  Json devices = Json::array();
  for (const DeviceInfo& device : result.devices) {
    devices.push(report::device_json(device));
  }
  for (const DeviceInfo& device : result.missing) {
    devices.push(report::device_json(device));
  }
  Json rows = Json::array();
  for (const RaceRow& row : result.rows) {
    rows.push(row_json(row));
  }
  Json crossover = Json::object();
  crossover.set("parameters", result.crossover.parameters ? Json(*result.crossover.parameters) : Json());
  crossover.set("statement", result.crossover.statement);
  Json json = Json::object();
  json.set("schema", "overtake.race/1").set("machine", report::machine_json(result.machine, result.devices));
  json.set("settings", settings_json(result.options)).set("devices", std::move(devices));
  json.set("rows", std::move(rows)).set("crossover", std::move(crossover)).set("notes", list_json(result.notes));
  json.set("transfers", report::transfers_json(result.transfers));
  return json.dump() + "\n";
}

}  // namespace overtake
