// SPDX-License-Identifier: MIT
// Convolutions of few channels by a kernel of their own (convolution_few.k).
#pragma once

#include "backend/common/lower/lowering.hpp"

namespace overtake::backend {

/// True for a convolution that the kernel can do and does faster than a product of panels: forward, or the gradient by
/// images with stride 1, channels last, at most 16 channels that are added up and some 64 of the result, and filters of
/// at most 16 KB. Indices of 32 bits must do.
[[nodiscard]] bool has_few_channels(const ConvolutionCore& core);

[[nodiscard]] LoweredOperation lower_few_channels(const Operation& operation, const ConvolutionCore& core);

}  // namespace overtake::backend
