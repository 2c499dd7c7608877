// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/array.hpp"

namespace overtake::graph {

/// argmax() along the last axis of a float32 array, in one pass: int64.
[[nodiscard]] Array last_axis_argmax(const Array& a);

}  // namespace overtake::graph
