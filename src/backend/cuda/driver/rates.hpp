// SPDX-License-Identifier: MIT
// What a multiprocessor computes in a clock.
#pragma once

#include <string_view>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/doctor.hpp"

namespace overtake::backend::cuda {

/// The theoretical rates of a card in formats other than float32: fp64 without tensor cores, tf32 and bf16 with them,
/// dense, where it has units for them.
[[nodiscard]] std::vector<PrecisionRate> theoretical_rates(int major, int minor, const DeviceInfo& info);

}  // namespace overtake::backend::cuda
