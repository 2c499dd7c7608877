// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <mutex>

#include "backend/api/device.hpp"
#include "overtake/transfer.hpp"

namespace overtake {
namespace {

/// What devices had counted at the last reset.
struct Resets {
  std::mutex mutex;
  std::map<std::string, Transfers> counted;
};
Resets& resets() {
  static Resets instance;
  return instance;
}

TransferStats sum_up(std::vector<DeviceTransfers> devices) {
  TransferStats stats{std::move(devices), {}};
  for (const DeviceTransfers& each : stats.devices) {
    if (!each.is_host) stats.total += each.transfers;
  }
  return stats;
}

}  // namespace

Transfers& Transfers::operator+=(const Transfers& other) noexcept {
  uploads += other.uploads;
  upload_bytes += other.upload_bytes;
  upload_seconds += other.upload_seconds;
  downloads += other.downloads;
  download_bytes += other.download_bytes;
  download_seconds += other.download_seconds;
  return *this;
}

Transfers& Transfers::operator-=(const Transfers& other) noexcept {
  uploads -= other.uploads;
  upload_bytes -= other.upload_bytes;
  upload_seconds = std::max(0.0, upload_seconds - other.upload_seconds);
  downloads -= other.downloads;
  download_bytes -= other.download_bytes;
  download_seconds = std::max(0.0, download_seconds - other.download_seconds);
  return *this;
}

TransferStats transfer_stats() {
  Resets& before = resets();
  const std::lock_guard lock(before.mutex);
  std::vector<DeviceTransfers> devices;
  for (backend::Device* device : backend::opened_devices()) {
    devices.push_back({device->info().id, device->is_host(), device->transfers()});
    devices.back().transfers -= before.counted[devices.back().device];
  }
  return sum_up(std::move(devices));
}

void reset_transfer_stats() {
  Resets& before = resets();
  const std::lock_guard lock(before.mutex);
  for (backend::Device* device : backend::opened_devices()) before.counted[device->info().id] = device->transfers();
}

TransferStats transfers_since(const TransferStats& before) {
  TransferStats now = transfer_stats();
  for (DeviceTransfers& each : now.devices) {
    const auto found = std::find_if(before.devices.begin(), before.devices.end(),
                                    [&](const DeviceTransfers& other) { return other.device == each.device; });
    if (found != before.devices.end()) each.transfers -= found->transfers;
  }
  return sum_up(std::move(now.devices));
}

}  // namespace overtake
