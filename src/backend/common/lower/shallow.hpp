// SPDX-License-Identifier: MIT
// Convolutions of shallow images (the first ones of networks) by kernels of their own (convolution_shallow.k).
#pragma once

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// Whether the kernels can do a convolution: forward or the gradient by the filters, channels last, without groups or
/// dilation, at most 28 products for each result of the forward pass (window times channels), filters a multiple of 32;
/// and indices of 32 bits suffice for the core.
[[nodiscard]] bool is_shallow(const ConvolutionCore& core);

/// Whether they are also expected to be faster than other kernels and libraries: enough positions to fill a processor.
/// A function of shapes only, which lower() follows.
[[nodiscard]] bool is_faster_shallow(const ConvolutionCore& core);

/// The kernels. is_shallow() must hold, and the tape must have short indices.
[[nodiscard]] LoweredOperation lower_shallow(const Operation& operation, const ConvolutionCore& core,
                                             const LoweringTraits& traits);

}  // namespace overtake::backend
