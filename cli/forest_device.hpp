// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace cli {

/// A device for forests, and why.
struct ForestDevice {
  std::string id;
  std::string reason;
};

/// `wanted` is what --device says; "auto" is the first GPU that CUDA can use, else the CPU. Throws
/// overtake::UsageError, DeviceError.
[[nodiscard]] ForestDevice choose_forest_device(const std::string& wanted);

}  // namespace cli
