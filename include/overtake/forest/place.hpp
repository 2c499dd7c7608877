// SPDX-License-Identifier: MIT
// Where a forest is trained.
#pragma once

#include "overtake/data/dataset.hpp"
#include "overtake/forest/parameters.hpp"
#include "overtake/placement.hpp"

namespace overtake {

/// The processor that finishes training first: choose_device() by predict_forest() of forest_work(). Work of a few
/// milliseconds is the CPU's without a prediction, which takes longer. Throws what those throw.
[[nodiscard]] Placement place_forest(const ForestParameters& parameters, const Dataset& data,
                                     const MemoryLimits& limits = {});

}  // namespace overtake
