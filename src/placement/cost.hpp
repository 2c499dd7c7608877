// SPDX-License-Identifier: MIT
// Counts of work x rates of a device = seconds.
#pragma once

#include "overtake/placement.hpp"
#include "placement/rates.hpp"

namespace overtake::placement {

[[nodiscard]] Prediction forest_cost(const ForestWork& work, const DeviceInfo& device, const DeviceRates& rates,
                                     const MemoryLimits& limits = {});
/// `threads` of the cpu; 0: the faster of one and all.
[[nodiscard]] Prediction network_cost(const NetworkWork& work, const DeviceInfo& device, const DeviceRates& rates,
                                      int threads);

}  // namespace overtake::placement
