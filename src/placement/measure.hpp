// SPDX-License-Identifier: MIT
// Short trainings whose times show how fast a device is.
#pragma once

#include "placement/rates.hpp"

namespace overtake::placement {

/// Trains small forests and networks on the device and compares with its usual rates. Changes the number of CPU threads
/// for a moment. Throws DeviceError.
[[nodiscard]] Slowness measure_slowness(const DeviceInfo& device);

}  // namespace overtake::placement
