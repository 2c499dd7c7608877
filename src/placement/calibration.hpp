// SPDX-License-Identifier: MIT
// How fast this machine's devices are, measured once and kept with the compiled kernels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "placement/rates.hpp"

namespace overtake::placement {

/// DeviceInfo::backend of devices that this machine has not (known_device()).
inline constexpr const char* elsewhere = "elsewhere";

/// The rates of a device; of one that is elsewhere, the usual ones, as much faster or slower as this machine's are.
/// Those of the CPU and of GPUs are measured when they are first asked for (about a second; with a
/// cold cache of kernels some) and kept in the cache's folder until device, driver or Overtake change; those that are
/// not settled (kept_rates.hpp) serve one process. A device that fails then, that other processors compute for, or a
/// process without a cache has the usual rates. Opens the device. Never throws.
[[nodiscard]] DeviceRates rates_of(const DeviceInfo& device);

/// Whether rates_of() has nothing to measure for the device: it did that before, here or in another process.
[[nodiscard]] bool are_rates_known(const DeviceInfo& device);

/// Bytes of the computer's memory that this process held before it measured or listed devices for predictions.
[[nodiscard]] std::uint64_t memory_held_before();
/// The most that the process holds with `bytes` more and, where `device` was not open then, with its driver.
[[nodiscard]] std::uint64_t memory_held_with(const DeviceInfo& device, double bytes);

/// All that a device's figures depend on, in one line: device, driver, processor, threads, version.
[[nodiscard]] std::string subject_of(const DeviceInfo& device);

}  // namespace overtake::placement
