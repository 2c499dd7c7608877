// SPDX-License-Identifier: MIT
#include <limits>

#include "doctor/page.hpp"
#include "overtake/version.hpp"

namespace overtake {
namespace {

using report::Json;

Json known(double value) { return value > 0 ? Json(value) : Json(); }
Json known_bytes(std::uint64_t value) { return value > 0 ? Json(value) : Json(); }

Json checks_json(const std::vector<CheckOutcome>& checks) {
  Json list = Json::array();
  for (const CheckOutcome& check : checks) {
    list.push(Json::object()
                  .set("name", check.name)
                  .set("seconds", check.seconds)
                  .set("trouble", Json::text_or_null(check.trouble)));
  }
  return list;
}

Json rates_json(const DeviceRates& rates) {
  Json precisions = Json::array();
  for (const PrecisionRate& rate : rates.precisions) {
    precisions.push(Json::object()
                        .set("name", rate.name)
                        .set("measured_gflops", known(rate.measured_gflops))
                        .set("peak_gflops", known(rate.peak_gflops)));
  }
  Json json = Json::object();
  json.set("launch_microseconds", known(rates.launch_microseconds));
  json.set("upload_gbs", known(rates.upload_gbs)).set("download_gbs", known(rates.download_gbs));
  json.set("copy_gbs", known(rates.copy_gbs)).set("peak_copy_gbs", known(rates.peak_copy_gbs));
  return json.set("precisions", std::move(precisions));
}

Json device_json(const DeviceCheckup& checkup) {
  Json holders = Json::array();
  for (const MemoryHolder& holder : checkup.holders) {
    holders.push(Json::object()
                     .set("process", holder.process)
                     .set("name", Json::text_or_null(holder.name))
                     .set("bytes", known_bytes(holder.bytes)));
  }
  Json json = report::device_json(checkup.info);
  json.set("works", checkup.works).set("driver_limit", Json::text_or_null(checkup.driver_limit));
  json.set("runtime", Json::text_or_null(checkup.runtime)).set("compiler", Json::text_or_null(checkup.compiler));
  json.set("free_bytes", known_bytes(checkup.free_bytes)).set("holders", std::move(holders));
  return json.set("checks", checks_json(checkup.checks)).set("rates", rates_json(checkup.rates));
}

Json host_json(const HostCheckup& host) {
  const bool is_unlimited = host.locked_memory_limit == std::numeric_limits<std::uint64_t>::max();
  Json json = Json::object();
  json.set("processor", Json::text_or_null(host.processor)).set("system", Json::text_or_null(host.system));
  json.set("hardware_threads", host.hardware_threads).set("usable_cores", host.usable_cores);
  json.set("threads", host.threads).set("limits", Json::text_or_null(host.limits));
  json.set("container", Json::text_or_null(host.container));
  json.set("memory_bytes", known_bytes(host.memory_bytes));
  json.set("usable_memory_bytes", known_bytes(doctor::usable_bytes(host)));
  json.set("memory_limit", Json::text_or_null(host.memory_limit));
  return json.set("locked_memory_limit", is_unlimited ? Json() : Json(host.locked_memory_limit));
}

Json libraries_json(const std::vector<LoadedLibrary>& libraries) {
  Json list = Json::array();
  for (const LoadedLibrary& library : libraries) {
    list.push(Json::object()
                  .set("name", library.name)
                  .set("path", library.path)
                  .set("version", Json::text_or_null(library.version))
                  .set("reason", library.reason)
                  .set("others", Json::list(library.others)));
  }
  return list;
}

Json findings_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push(Json::object()
                  .set("id", finding.id)
                  .set("severity", doctor::severity_name(finding.severity))
                  .set("device", Json::text_or_null(finding.device))
                  .set("cause", finding.cause)
                  .set("evidence", Json::text_or_null(finding.evidence))
                  .set("cure", Json::text_or_null(finding.cure)));
  }
  return list;
}

}  // namespace

std::string to_json(const Diagnosis& diagnosis) {
  Json devices = Json::array();
  for (const DeviceCheckup& checkup : diagnosis.devices) devices.push(device_json(checkup));
  Json cache = Json::object();
  cache.set("folder", Json::text_or_null(diagnosis.cache_folder)).set("programs", diagnosis.cached_programs);
  Json json = Json::object();
  json.set("schema", "overtake.doctor/1").set("overtake", version()).set("healthy", diagnosis.healthy());
  json.set("unmet", Json::list(diagnosis.unmet)).set("interrupted", diagnosis.interrupted);
  json.set("seconds", diagnosis.seconds).set("host", host_json(diagnosis.host));
  json.set("devices", std::move(devices)).set("libraries", libraries_json(diagnosis.libraries));
  json.set("cache", std::move(cache)).set("findings", findings_json(diagnosis.findings));
  return json.dump() + "\n";
}

std::string to_json(const std::vector<Explanation>& explanations) {
  Json list = Json::array();
  for (const Explanation& one : explanations) {
    list.push(Json::object()
                  .set("error", one.error)
                  .set("meaning", one.meaning)
                  .set("causes", Json::list(one.causes))
                  .set("first_check", Json::text_or_null(one.first_check))
                  .set("findings", Json::list(one.findings)));
  }
  Json json = Json::object();
  json.set("schema", "overtake.explain/1").set("overtake", version()).set("explanations", std::move(list));
  return json.dump() + "\n";
}

}  // namespace overtake
