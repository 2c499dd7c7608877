// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "backend/api/profiling.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// Runs a launch alone on the device, times it there by events and tells profiles of it. `enqueue` puts it into the
/// work stream.
void profile_launch(CudaDevice& device, ProfileRecord record, const std::function<void()>& enqueue);

}  // namespace overtake::backend::cuda
