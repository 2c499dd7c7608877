// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "overtake/placement.hpp"

namespace overtake::placement {

/// What the work takes on a device, Prediction::failure if that cannot run it. Empty: stopped.
using Predict = std::function<std::optional<Prediction>(const DeviceInfo&)>;

/// Predicts for the CPU and for the first GPU that can run the work, and chooses (Placement says how). Throws
/// DeviceError when neither can. `list`: every device, asked for only if a GPU might win.
[[nodiscard]] Placement choose(const Predict& predict,
                               const std::function<std::vector<DeviceInfo>()>& list = list_devices);

}  // namespace overtake::placement
