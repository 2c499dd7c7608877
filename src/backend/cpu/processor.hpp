// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/device.hpp"

namespace overtake::backend::cpu {

/// What the operating system says of this machine's processor, with as many compute units as this process may keep busy
/// (platform/host_limits.hpp). The clock is the highest that the system names, or the measured one where that is
/// higher: then the theoretical rate is no lower than what can be reached. The first call measures for 2 ms.
[[nodiscard]] DeviceInfo describe_processor();

}  // namespace overtake::backend::cpu
