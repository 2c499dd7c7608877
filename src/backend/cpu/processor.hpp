// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/device.hpp"

namespace overtake::backend::cpu {

/// Cores this process may run on (cpu affinity), at least 1.
[[nodiscard]] int available_cores();

/// What the operating system says of this machine's processor.
[[nodiscard]] DeviceInfo describe_processor();

}  // namespace overtake::backend::cpu
