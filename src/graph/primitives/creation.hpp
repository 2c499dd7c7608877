// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/array.hpp"

namespace overtake::graph {

/// What steps are computed in: double where the device has it.
[[nodiscard]] DType step_type(const Device& device);

/// The values of linspace() at `places` (of step_type()), which count from 0: `intervals` steps lead from `start` to
/// `stop`. `ends`: the last value is `stop` itself, whatever the rounding of the steps.
[[nodiscard]] Array linspace_at(const Array& places, double start, double stop, std::int64_t intervals,
                                bool ends = true);

}  // namespace overtake::graph
