// SPDX-License-Identifier: MIT
// What of a CUDA driver is tried in a child process before this process touches it.
#pragma once

#include <optional>

#include "backend/common/trial/driver_trial.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/device.hpp"

namespace overtake::backend::cuda {

/// Tries to start the driver (cuInit) where there is one and no verdict is known: why it may not be started here, if
/// so. The verdict is known by the library's file and the version of the kernel module.
[[nodiscard]] std::optional<Trouble> start_trouble();

/// Computing on one device.
[[nodiscard]] TrialSubject device_trial(const DeviceInfo& info);

}  // namespace overtake::backend::cuda
