// SPDX-License-Identifier: MIT
// Starting the driver and listing its devices, without creating a context on any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/cuda/driver/driver_api.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/device.hpp"

namespace overtake::backend::cuda {

/// The driver after cuInit, or why it cannot be used.
struct DriverStart {
  DriverApi api;
  int version = 0;  ///< of CUDA as the driver supports it: 13000 is 13.0
  int devices = 0;
  std::optional<Trouble> trouble;
};

/// Finds the functions, initialises the driver, counts devices.
[[nodiscard]] DriverStart start_driver(const SymbolLookup& lookup, const HostFacts& host);

/// Name, size and theoretical speed of each device; unusable ones (compute capability below 7.5) with the reason.
/// `driver_text` is what DeviceInfo::driver shall say.
[[nodiscard]] std::vector<DeviceInfo> describe_devices(const DriverStart& driver, const std::string& driver_text);

/// The one entry of a machine whose driver cannot be used.
[[nodiscard]] DeviceInfo unusable_device(const Trouble& trouble);

/// "driver 580.159.04, CUDA 13.0"; the first part only where the kernel module tells it.
[[nodiscard]] std::string driver_text(int cuda_version);

/// float32 lanes of one multiprocessor.
[[nodiscard]] int cores_per_multiprocessor(int major, int minor);

/// A device attribute; 0 when the driver does not know it.
[[nodiscard]] int attribute(const DriverApi& api, CUdevice device, CUdevice_attribute name);

}  // namespace overtake::backend::cuda
