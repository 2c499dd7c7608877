// SPDX-License-Identifier: MIT
// Counts of work x rates of a device = seconds.
#pragma once

#include <string>

#include "overtake/placement.hpp"
#include "placement/rates.hpp"

namespace overtake::placement {

[[nodiscard]] Prediction forest_cost(const ForestWork& work, const DeviceInfo& device, const DeviceRates& rates,
                                     const MemoryLimits& limits = {});
/// Why a prediction cannot keep to the limit of the computer's memory, by more than predictions may be off; empty where
/// it can.
[[nodiscard]] std::string beyond_host_limit(const Prediction& of, const MemoryLimits& limits);
/// `threads` of the cpu; 0: the faster of one and all.
[[nodiscard]] Prediction network_cost(const NetworkWork& work, const DeviceInfo& device, const DeviceRates& rates,
                                      int threads);

}  // namespace overtake::placement
