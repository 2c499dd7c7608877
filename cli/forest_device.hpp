// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "overtake/search.hpp"

namespace cli {

/// What --device says, or for "auto" what overtake::choose_forest_device() finds for this much work (row visits).
/// Throws overtake::UsageError, DeviceError.
[[nodiscard]] overtake::ForestPlacement forest_device(const std::string& wanted, double work);

/// Throws what opening the device would throw; "auto" is fine. For checks before a large file is read.
void check_forest_device(const std::string& wanted);

}  // namespace cli
