// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace overtake {

/// Copies between host and device: how many, their bytes and their seconds, without the wait for work that came before
/// them. Of a copy that nobody waited for, OpenCL counts the seconds that the host spent on it.
struct Transfers {
  std::uint64_t uploads = 0, upload_bytes = 0;
  double upload_seconds = 0;
  std::uint64_t downloads = 0, download_bytes = 0;
  double download_seconds = 0;

  Transfers& operator+=(const Transfers& other) noexcept;
  Transfers& operator-=(const Transfers& other) noexcept;
};

/// Of one device.
struct DeviceTransfers {
  std::string device;    ///< "cuda:0"
  bool is_host = false;  ///< the cpu: its arrays are in the program's memory, and copies to them cross nothing
  Transfers transfers;
};

/// Of this process.
struct TransferStats {
  std::vector<DeviceTransfers> devices;  ///< that were opened
  Transfers total;                       ///< of all but the cpu
};

/// Since the process began, or since reset_transfer_stats(). Waits for copies that are under way.
[[nodiscard]] TransferStats transfer_stats();

/// Counts from now on.
void reset_transfer_stats();

/// What was copied from `before` to now.
[[nodiscard]] TransferStats transfers_since(const TransferStats& before);

/// One line for people: "copied 11.7 MiB to cuda:0 in 1.2 ms, 391 KiB back in 0.1 ms"; "" where nothing was copied to
/// or from another device than the cpu.
[[nodiscard]] std::string to_text(const TransferStats& stats);

}  // namespace overtake
