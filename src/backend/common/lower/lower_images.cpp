// SPDX-License-Identifier: MIT
// Convolutions and pooling.
#include "backend/common/lower/kernel_text.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {

LoweredOperation lower_convolution(const Operation&, const ConvolutionCore&, const LoweringTraits&) {
  throw DeviceError("no kernels for convolutions", "Use the cpu.");
}

LoweredOperation lower_pool(const Operation&, const PoolCore&) {
  throw DeviceError("no kernels for pooling", "Use the cpu.");
}

}  // namespace overtake::backend
