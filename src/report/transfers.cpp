// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "overtake/report.hpp"
#include "overtake/report_transfers.hpp"

namespace overtake {

std::string to_text(const TransferStats& stats) {
  std::string text;
  for (const DeviceTransfers& each : stats.devices) {
    const Transfers& of = each.transfers;
    if (each.is_host || (of.uploads == 0 && of.downloads == 0)) continue;
    text += fmt::format("{}{} to {} in {}, {} back in {}", text.empty() ? "copied " : "; ",
                        report::bytes(of.upload_bytes), each.device, report::seconds(of.upload_seconds),
                        report::bytes(of.download_bytes), report::seconds(of.download_seconds));
  }
  return text;
}

report::Json report::transfers_json(const TransferStats& stats) {
  Json all = Json::object();
  for (const DeviceTransfers& each : stats.devices) {
    const Transfers& of = each.transfers;
    if (each.is_host || (of.uploads == 0 && of.downloads == 0)) continue;
    Json json = Json::object();
    json.set("uploads", of.uploads).set("upload_bytes", of.upload_bytes).set("upload_seconds", of.upload_seconds);
    json.set("downloads", of.downloads).set("download_bytes", of.download_bytes);
    all.set(each.device, json.set("download_seconds", of.download_seconds));
  }
  return all;
}

}  // namespace overtake
