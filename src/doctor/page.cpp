// SPDX-License-Identifier: MIT
#include "doctor/page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace overtake::doctor {
namespace {

using report::Fact;

std::string known_rate(double value) { return value > 0 ? report::significant(value) : ""; }

std::string share_of(double measured, double peak) {
  return measured > 0 && peak > 0 ? fmt::format("{:.0f} %", 100 * measured / peak) : "";
}

std::string checks_text(const DeviceCheckup& checkup) {
  double seconds = 0;
  std::size_t passed = 0;
  std::string trouble;
  for (const CheckOutcome& check : checkup.checks) {
    seconds += check.seconds;
    passed += check.trouble.empty() ? 1U : 0U;
    if (!check.trouble.empty()) trouble = fmt::format("; {}: {}", check.name, check.trouble);
  }
  if (trouble.empty()) return fmt::format("{} of {} right, in {}", passed, passed, report::seconds(seconds));
  return fmt::format("{} right{}", passed, trouble);
}

std::string memory_text(const DeviceCheckup& checkup) {
  if (checkup.info.memory_bytes == 0) return "unknown";
  std::string text = report::bytes(checkup.info.memory_bytes);
  if (checkup.free_bytes > 0) text += fmt::format(", {} free", report::bytes(checkup.free_bytes));
  for (const MemoryHolder& holder : checkup.holders) {
    text += fmt::format("; process {}{} holds {}", holder.process, holder.name.empty() ? "" : " (" + holder.name + ")",
                        holder.bytes > 0 ? report::bytes(holder.bytes) : "some of it");
  }
  return text;
}

std::string known_bytes(std::uint64_t bytes) { return bytes > 0 ? report::bytes(bytes) : "unknown"; }

/// Which finding says why a device cannot be used; the reason itself where none does.
std::string reason_of(const Diagnosis& diagnosis, const DeviceInfo& info) {
  for (const Finding& finding : diagnosis.findings) {
    const bool is_about = finding.device == info.id || finding.device == info.backend || finding.id == "tight-limits";
    if (is_about) return "see the finding " + finding.id;
  }
  return info.reason;
}

}  // namespace

const char* severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: break;
  }
  return "note";
}

std::string headline(const Diagnosis& diagnosis) {
  std::vector<std::string> working;
  for (const DeviceCheckup& checkup : diagnosis.devices) {
    if (checkup.works) working.push_back(checkup.info.id);
  }
  const std::string right = working.empty() ? "no device computes rightly"
                                            : fmt::format("{} {} rightly", fmt::join(working, ", "),
                                                          working.size() == 1 ? "computes" : "compute");
  if (!diagnosis.unmet.empty()) {
    return fmt::format("{}; cannot be used: {}", right, fmt::join(diagnosis.unmet, ", "));
  }
  const auto errors = std::count_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                                    [](const Finding& finding) { return finding.severity == Severity::error; });
  return errors == 0 ? "healthy: " + right : fmt::format("{}; {}", right, report::counted(errors, "error"));
}

std::vector<Fact> device_facts(const Diagnosis& diagnosis, const DeviceCheckup& checkup) {
  std::vector<Fact> facts;
  if (!checkup.works) {
    facts.push_back({"cannot be used", reason_of(diagnosis, checkup.info)});
    if (checkup.checks.empty()) return facts;
  }
  facts.push_back({"checks", checks_text(checkup)});
  if (!checkup.driver_limit.empty()) {
    facts.push_back({checkup.info.kind == DeviceKind::cpu ? "instructions" : "driver limit", checkup.driver_limit});
  }
  if (!checkup.runtime.empty()) facts.push_back({"runtime", checkup.runtime});
  if (!checkup.compiler.empty()) facts.push_back({"compiler", checkup.compiler});
  facts.push_back({"memory", memory_text(checkup)});
  if (!checkup.info.reason.empty()) facts.push_back({"slower", checkup.info.reason});
  return facts;
}

report::Table rates_table(const DeviceCheckup& checkup) {
  const DeviceRates& rates = checkup.rates;
  report::Table table;
  table.columns = {{"rate", report::Align::left}, {"measured"}, {"peak"}, {"share"}, {"unit", report::Align::left}};
  const auto add = [&table](const std::string& name, double measured, double peak, const char* unit) {
    if (measured > 0 || peak > 0) {
      table.rows.push_back(
          {name, measured > 0 ? known_rate(measured) : "-", known_rate(peak), share_of(measured, peak), unit});
    }
  };
  if (checkup.rates.precisions.empty()) return table;
  for (const PrecisionRate& rate : rates.precisions) add(rate.name, rate.measured_gflops, rate.peak_gflops, "GFLOP/s");
  add("copy on the device", rates.copy_gbs, rates.peak_copy_gbs, "GB/s");
  add("upload", rates.upload_gbs, 0, "GB/s");
  add("download", rates.download_gbs, 0, "GB/s");
  add("launch of a kernel", rates.launch_microseconds, 0, "us");
  return table;
}

std::uint64_t usable_bytes(const HostCheckup& host) noexcept {
  const bool is_more = host.memory_bytes > 0 && host.usable_memory_bytes > host.memory_bytes;
  return is_more ? host.memory_bytes : host.usable_memory_bytes;
}

std::vector<Fact> host_facts(const Diagnosis& diagnosis) {
  const HostCheckup& host = diagnosis.host;
  std::string cores =
      fmt::format("{} usable of {}; Overtake computes with {}", host.usable_cores,
                  report::counted(host.hardware_threads, "hardware thread"), report::counted(host.threads, "thread"));
  if (!host.limits.empty()) cores += fmt::format(" ({})", host.limits);
  const bool is_unlimited = host.locked_memory_limit == std::numeric_limits<std::uint64_t>::max();
  const auto known = [](const std::string& text) { return text.empty() ? "unknown" : text; };
  return {{"processor", known(host.processor)},
          {"system", known(host.system)},
          {"cores", cores},
          {"memory", fmt::format("{}, {} usable", known_bytes(host.memory_bytes), known_bytes(usable_bytes(host)))},
          {"locked memory", is_unlimited ? "no limit" : "at most " + report::bytes(host.locked_memory_limit)},
          {"surroundings", host.container.empty() ? "no container is seen" : host.container},
          {"cache", diagnosis.cache_folder.empty()
                        ? "nothing is kept"
                        : fmt::format("{}: {}", diagnosis.cache_folder,
                                      report::counted(diagnosis.cached_programs, "compiled program"))}};
}

report::Table library_table(const Diagnosis& diagnosis) {
  using report::Align;
  report::Table table;
  table.columns = {
      {"library", Align::left}, {"version", Align::left}, {"why this copy", Align::left, 1}, {"path", Align::left}};
  for (const LoadedLibrary& library : diagnosis.libraries) {
    table.rows.push_back({library.name, library.version, library.reason, library.path});
    for (const std::string& other : library.others) table.rows.push_back({"", "", "not taken", other});
  }
  return table;
}

}  // namespace overtake::doctor
