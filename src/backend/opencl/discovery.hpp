// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "backend/opencl/api.hpp"
#include "overtake/device.hpp"

namespace overtake::backend::opencl {

/// One device of one platform.
struct FoundDevice {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  std::string platform_name, platform_version;
  DeviceInfo info;
};

struct Discovery {
  std::vector<FoundDevice> devices;  ///< of all platforms, in the loader's order; `info.id` is "opencl:<position>"
  std::string reason, hint;          ///< why there is none
  std::string finding;               ///< its id in docs/doctor.md
  std::string evidence;              ///< what was seen of it
};

/// Looks anew at every call. Before the first, listing is tried in a child process: a driver that crashes or hangs then
/// is why there is none.
[[nodiscard]] Discovery discover();

/// "folder: why" where this user cannot write PoCL's folder for compiled kernels; empty: he can.
[[nodiscard]] std::string unwritable_pocl_cache();
/// PoCL's name for itself.
inline constexpr const char* pocl_name = "Portable Computing Language";
/// What helps where it cannot be written.
inline constexpr const char* pocl_cache_hint = "Name a folder that this user may write to in POCL_CACHE_DIR (or HOME).";

/// A text, or a plain value, that the driver tells about a device.
[[nodiscard]] std::string device_text(cl_device_id device, cl_device_info what);
template <typename T>
[[nodiscard]] T device_value(cl_device_id device, cl_device_info what) {
  T value{};
  (void)api().clGetDeviceInfo(device, what, sizeof value, &value, nullptr);
  return value;
}

}  // namespace overtake::backend::opencl
