// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "overtake/report.hpp"
#include "overtake/version.hpp"
#include "platform/computer.hpp"
#include "platform/host_limits.hpp"

namespace overtake::report {
namespace {

Json kind_json(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cpu: return "cpu";
    case DeviceKind::gpu: return "gpu";
    case DeviceKind::opencl_on_cpu: return "opencl-on-cpu";
    case DeviceKind::none: break;
  }
  return {};
}

}  // namespace

Machine this_machine() {
  return {platform::processor_name(), platform::usable_cores(), platform::physical_memory(),
          platform::operating_system(), std::string(version())};
}

Json machine_json(const Machine& machine, std::span<const DeviceInfo> devices) {
  Json drivers = Json::object();
  for (const DeviceInfo& device : devices) drivers.set(device.id, device.driver);
  Json json = Json::object();
  json.set("cpu", machine.cpu).set("cores", machine.cores).set("memory_bytes", machine.memory_bytes);
  json.set("os", machine.os).set("overtake", machine.version);
  return json.set("drivers", std::move(drivers));
}

Json device_json(const DeviceInfo& info) {
  Json json = Json::object();
  json.set("id", info.id).set("backend", info.backend).set("kind", kind_json(info.kind));
  json.set("name", info.name).set("driver", info.driver);
  json.set("memory_bytes", info.memory_bytes).set("compute_units", info.compute_units).set("clock_mhz", info.clock_mhz);
  json.set("clock_origin", info.clock_origin.empty() ? Json() : Json(info.clock_origin));
  json.set("peak_gflops", info.peak_gflops).set("peak_gbs", info.peak_gbs);
  json.set("double_precision", info.double_precision).set("usable", info.usable);
  if (!info.usable || !info.reason.empty()) json.set("reason", info.reason).set("hint", info.hint);
  return json;
}

FactGroup machine_facts(const Machine& machine) {
  return {"Machine",
          {{"processor", machine.cpu},
           {"cores", fmt::format("{}", machine.cores)},
           {"memory", bytes(machine.memory_bytes)},
           {"system", machine.os},
           {"Overtake", machine.version}}};
}

FactGroup device_facts(const DeviceInfo& info) {
  FactGroup group{info.id, {{"name", info.name}, {"driver", info.driver}}};
  const auto add = [&](const char* name, double value, const std::string& text) {
    if (value > 0) group.facts.push_back({name, text});
  };
  add("memory", static_cast<double>(info.memory_bytes), bytes(info.memory_bytes));
  add("compute units", info.compute_units, fmt::format("{}", info.compute_units));
  add("theoretical peak", info.peak_gflops, significant(info.peak_gflops) + " GFLOP/s");
  add("theoretical bandwidth", info.peak_gbs, significant(info.peak_gbs) + " GB/s");
  return group;
}

std::string page_footer(const Machine& machine) {
  return fmt::format("Made by overtake {}. Chart.js (MIT licence) is included; this page loads nothing.",
                     machine.version);
}

}  // namespace overtake::report
