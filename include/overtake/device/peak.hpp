// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/device.hpp"
#include "overtake/placement.hpp"

namespace overtake {

/// measure_peak() once for each device, driver, number of threads and version of Overtake: kept in the cache's folder
/// beside the compiled kernels, and in this process. Throws DeviceError when the device fails.
[[nodiscard]] MeasuredPeak kept_peak(const Device& device);

}  // namespace overtake
