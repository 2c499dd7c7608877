// SPDX-License-Identifier: MIT
// The second kernel of sums that are shared out over groups (parts.k).
#pragma once

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// Adds up `parts` partial results of each element of the operation, which lie one part after the other from the start
/// of scratch memory, and runs the tape: in an order that depends on their number alone.
[[nodiscard]] LoweredKernel lower_parts(const Operation& operation, std::int64_t parts);

/// The bytes of such partial results.
[[nodiscard]] inline std::uint64_t bytes_of_parts(const Operation& operation, std::int64_t parts) {
  return static_cast<std::uint64_t>(parts * operation.extent.size()) * size_of(DType::float32);
}

}  // namespace overtake::backend
