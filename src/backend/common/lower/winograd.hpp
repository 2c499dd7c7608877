// SPDX-License-Identifier: MIT
// Convolutions by minimal filtering: which ones, and how (src/kernels/graph/winograd.k). Pure host code.
#pragma once

#include <cstdint>

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// Whether a convolution can be done so: operands of float32, filters of 3 x 3 without stride, dilation or groups,
/// paddings up to 2, channels last, channels and filters multiples of 4; and indices of 32 bits suffice for the core.
[[nodiscard]] bool can_filter_minimally(const ConvolutionCore& core);

/// Whether it is also expected to be faster than the sum over all places and channels: enough channels that the
/// transforms are paid for, and enough tiles that those of the filters are. A function of shapes only, which lower()
/// follows.
[[nodiscard]] bool is_faster_minimally(const ConvolutionCore& core);

/// What bounds its memory.
struct WinogradLimits {
  /// Of tiles and sums together. They are written and read again by the next kernel, block after block. All of VGG16's
  /// convolutions of 64 images took 68.9 ms in blocks of 64 MB and 61.0 ms in blocks of 1 GB on an H100.
  std::int64_t block_bytes = 512LL << 20U;
};

/// The kernels. can_filter_minimally() must hold, and the tape must have short indices.
[[nodiscard]] LoweredOperation lower_winograd(const Operation& operation, const ConvolutionCore& core,
                                              const LoweringTraits& traits, const WinogradLimits& limits = {});

}  // namespace overtake::backend
