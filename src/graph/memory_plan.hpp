// SPDX-License-Identifier: MIT
#pragma once

#include "backend/api/operation.hpp"

namespace overtake::graph {

/// Gives every slot that is not external a place in one arena: slots whose lives (first write to last read, in list
/// order) overlap get disjoint bytes, largest first at the lowest free offset. Sets arena_offset and arena_bytes.
void plan_memory(backend::Schedule& schedule);

}  // namespace overtake::graph
