// SPDX-License-Identifier: MIT
// Convolutions of small images with few channels and filters (convolution_small.k, convolution_small_filters.k).
#pragma once

#include <optional>

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// How groups share a small convolution: its tiles are `rows` rows of an image and all columns.
struct SmallPlan {
  std::int64_t rows = 1;     ///< of a tile
  std::int64_t tiles_y = 1;  ///< tiles of an image
  std::int64_t outputs = 1;  ///< results (filters, for their gradient) of a work-item at each position or tap
  std::int64_t items = 1;    ///< work-items of a group that have different results
  std::int64_t splits = 1;   ///< work-items that share each sum
  std::int64_t floats = 0;   ///< of local memory

  friend bool operator==(const SmallPlan&, const SmallPlan&) = default;
};

/// The plan for a convolution that these kernels can do and are expected to be faster for than others: channels last,
/// windows that move by one, without groups or dilation; at most 16 channels that are added up, 4,096 numbers in the
/// filters and 64 columns; tiles that fit into local memory. Indices of 32 bits must suffice.
[[nodiscard]] std::optional<SmallPlan> plan_small(const ConvolutionCore& core, const LoweringTraits& traits);

/// The kernels. The tape must have short indices.
[[nodiscard]] LoweredOperation lower_small(const Operation& operation, const ConvolutionCore& core,
                                           const LoweringTraits& traits, const SmallPlan& plan);

}  // namespace overtake::backend
