// SPDX-License-Identifier: MIT
// Short trainings whose times show how fast a device is.
#pragma once

#include "overtake/device.hpp"
#include "placement/kept_rates.hpp"

namespace overtake::placement {

/// Trains small forests and networks on the device and compares with its usual rates, and looks between them how much
/// of the cores this process gets. Changes the number of CPU threads for a moment. Throws DeviceError.
[[nodiscard]] KeptRates measure_rates(const DeviceInfo& device);

}  // namespace overtake::placement
