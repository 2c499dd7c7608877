// SPDX-License-Identifier: MIT
// A profile as a table and as a trace.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "overtake/report.hpp"
#include "profile/profile.hpp"

namespace overtake::profile {
namespace {

using report::Json;

/// All entries of one name on one device.
struct Line {
  std::string device, name;
  ProfileEntry::Kind kind = ProfileEntry::Kind::launch;
  std::int64_t count = 0;
  double seconds = 0;
  std::uint64_t bytes = 0;
  double flops = 0;
};

std::vector<Line> lines_of(const std::vector<ProfileEntry>& entries) {
  std::map<std::tuple<std::string, ProfileEntry::Kind, std::string>, Line> lines;
  for (const ProfileEntry& entry : entries) {
    Line& line = lines[{entry.device, entry.kind, entry.name}];
    line.device = entry.device;
    line.name = entry.name;
    line.kind = entry.kind;
    line.count += 1;
    line.seconds += entry.seconds;
    line.bytes += entry.bytes_read + entry.bytes_written;
    line.flops += entry.flops;
  }
  std::vector<Line> sorted;
  for (auto& [key, line] : lines) sorted.push_back(std::move(line));
  std::stable_sort(sorted.begin(), sorted.end(), [](const Line& a, const Line& b) { return a.seconds > b.seconds; });
  return sorted;
}

double gigas(double amount, double seconds) { return seconds > 0 ? amount / seconds * 1e-9 : 0; }

/// "73 %" of the peak that is nearer; "" where none is known, and for copies to and from the host.
std::string share_text(const Line& line, const std::vector<Peak>& peaks) {
  const auto peak =
      std::find_if(peaks.begin(), peaks.end(), [&](const Peak& each) { return each.device == line.device; });
  if (line.kind != ProfileEntry::Kind::launch || peak == peaks.end()) return {};
  double share = 0;
  if (peak->gbs > 0) share = gigas(static_cast<double>(line.bytes), line.seconds) / peak->gbs;
  if (peak->gflops > 0) share = std::max(share, gigas(line.flops, line.seconds) / peak->gflops);
  return share > 0 ? fmt::format("{:.0f} %", 100 * share) : "";
}

std::string peak_text(const std::vector<Peak>& peaks) {
  std::string text;
  for (const Peak& peak : peaks) {
    if (!(peak.gbs > 0)) continue;
    text += fmt::format("{}: measured peak {} GB/s, {} GFLOP/s\n", peak.device, report::significant(peak.gbs),
                        report::significant(peak.gflops));
  }
  return text;
}

const char* category_of(ProfileEntry::Kind kind) {
  switch (kind) {
    case ProfileEntry::Kind::upload: return "upload";
    case ProfileEntry::Kind::download: return "download";
    case ProfileEntry::Kind::launch: break;
  }
  return "launch";
}

Json process_name(int process, const std::string& device) {
  Json event = Json::object();
  event.set("name", "process_name").set("ph", "M").set("pid", process).set("tid", 0);
  return event.set("args", Json::object().set("name", device));
}

}  // namespace

std::string summary_text(const std::vector<ProfileEntry>& entries, double seconds, const std::vector<Peak>& peaks) {
  report::Table table;
  table.columns = {{"device", report::Align::left},
                   {"name", report::Align::left},
                   {"count"},
                   {"time"},
                   {"bytes"},
                   {"GB/s"},
                   {"GFLOP/s"},
                   {"of peak"}};
  std::int64_t launches = 0;
  double launched = 0, copied = 0;
  std::uint64_t crossed = 0;
  for (const ProfileEntry& entry : entries) {
    const bool is_launch = entry.kind == ProfileEntry::Kind::launch;
    launches += is_launch ? 1 : 0;
    (is_launch ? launched : copied) += entry.seconds;
    if (!is_launch) crossed += entry.bytes_read + entry.bytes_written;
  }
  for (const Line& line : lines_of(entries)) {
    const double rate = gigas(static_cast<double>(line.bytes), line.seconds);
    table.rows.push_back({line.device, line.name, report::count(line.count), report::seconds(line.seconds),
                          line.bytes > 0 ? report::bytes(line.bytes) : "", rate > 0 ? report::significant(rate) : "",
                          line.flops > 0 ? report::significant(gigas(line.flops, line.seconds)) : "",
                          share_text(line, peaks)});
  }
  const auto copies = static_cast<std::int64_t>(entries.size()) - launches;
  return report::table_text(table) + peak_text(peaks) +
         fmt::format("{} in {}, {} of {} in {}, of {} in all\n", report::counted(launches, "launch", "es"),
                     report::seconds(launched), copies == 1 ? "1 copy" : report::count(copies) + " copies",
                     report::bytes(crossed), report::seconds(copied), report::seconds(seconds));
}

std::string trace_text(const std::vector<ProfileEntry>& entries) {
  constexpr double micro = 1e6;
  std::map<std::string, int> processes;
  Json events = Json::array();
  for (const ProfileEntry& entry : entries) {
    const auto [process, is_new] = processes.try_emplace(entry.device, static_cast<int>(processes.size()));
    if (is_new) events.push(process_name(process->second, entry.device));
    Json what = Json::object();
    what.set("bytes_read", entry.bytes_read).set("bytes_written", entry.bytes_written).set("flops", entry.flops);
    if (!entry.kernel.empty()) what.set("kernel", entry.kernel);
    Json event = Json::object();
    event.set("name", entry.name.empty() ? entry.kernel : entry.name).set("cat", category_of(entry.kind));
    event.set("ph", "X").set("pid", process->second).set("tid", static_cast<int>(entry.kind));
    event.set("ts", entry.start * micro).set("dur", entry.seconds * micro).set("args", std::move(what));
    events.push(std::move(event));
  }
  Json trace = Json::object();
  return trace.set("traceEvents", std::move(events)).set("displayTimeUnit", "ns").dump(1) + "\n";
}

}  // namespace overtake::profile
