// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/device.hpp"

/// What is known of a device before anything was measured on it.
namespace overtake::placement {

/// Seconds until a device of this kind computes: opening the driver, loading the kernels.
[[nodiscard]] double start_seconds(DeviceKind kind);

/// Row visits a second of growing forests (forest_work); of the CPU with the threads that are set now.
[[nodiscard]] double visits_a_second(const DeviceInfo& info);

}  // namespace overtake::placement
