// SPDX-License-Identifier: MIT
// The machine: its processors, threads, check-up and race.
#include <limits>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "c_api/settings.hpp"
#include "c_api/watch.hpp"
#include "overtake/device.hpp"
#include "overtake/doctor.hpp"
#include "overtake/placement.hpp"
#include "overtake/race.hpp"
#include "overtake/report.hpp"

namespace api = overtake::c_api;
namespace report = overtake::report;

overtake_status overtake_devices(overtake_text** json) {
  return api::guarded([&] {
    overtake_text*& result = api::given(json, "json");
    report::Json devices = report::Json::array();
    for (const overtake::DeviceInfo& info : overtake::list_devices()) devices.push(report::device_json(info));
    api::hand_out(devices.dump(-1), &result);
  });
}

overtake_status overtake_doctor(const char* settings, const overtake_watch* watch, overtake_text** json,
                                overtake_text** html) {
  return api::guarded([&] {
    const api::Settings asked(settings, {"devices", "measure"});
    api::Watch watcher(watch);
    overtake::DoctorOptions options;
    api::Settings::take(asked.texts("devices"), options.devices);
    api::Settings::take(asked.flag("measure"), options.measure);
    options.stop = watcher.stop();
    options.observer = &watcher;
    const overtake::Diagnosis diagnosis = overtake::examine(options);
    api::hand_out_both(overtake::to_json(diagnosis), json, overtake::to_html(diagnosis), html);
  });
}

overtake_status overtake_race(const char* settings, const overtake_watch* watch, overtake_text** json,
                              overtake_text** html) {
  return api::guarded([&] {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    const api::Settings asked(settings, {"layers", "epochs", "batch", "samples", "devices", "repeat", "seed",
                                         "learning_rate", "memory_limit", "host_memory_limit", "budget_seconds"});
    overtake::RaceOptions options;
    api::Settings::take(asked.wholes("layers"), options.layers);
    api::Settings::take(asked.whole("epochs", 0, most), options.epochs);
    api::Settings::take(asked.whole("batch", 0, most), options.batch);
    api::Settings::take(asked.whole("samples", 0, most), options.samples);
    api::Settings::take(asked.texts("devices"), options.devices);
    api::Settings::take(asked.whole("repeat", 0, most), options.repeat);
    api::Settings::take(asked.whole("seed", 0, std::numeric_limits<std::int64_t>::max()), options.seed);
    api::Settings::take(asked.number("learning_rate"), options.learning_rate);
    api::Settings::take(asked.number("budget_seconds"), options.budget_seconds);
    options.memory_limit = asked.bytes("memory_limit");
    options.host_memory_limit = asked.bytes("host_memory_limit");
    api::Watch watcher(watch);
    const overtake::RaceResult result = overtake::run_race(options, &watcher, watcher.stop());
    api::hand_out_both(overtake::race_json(result), json, overtake::race_html(result), html);
  });
}

overtake_status overtake_set_threads(int threads) {
  return api::guarded([&] { overtake::set_cpu_threads(threads); });
}

overtake_status overtake_set_threads_here(int threads) {
  return api::guarded([&] { overtake::set_cpu_threads_here(threads); });
}

int overtake_threads(void) { return overtake::cpu_threads(); }
