// SPDX-License-Identifier: MIT
// Which of cuDNN's plans for a convolution is the fastest on this device: tried once, on memory of the real size.
#pragma once

#include <optional>

#include "backend/cuda/run/dnn.hpp"

namespace overtake::backend::cuda {

/// Most workspace that a plan may ask for.
inline constexpr std::uint64_t dnn_workspace_limit = 256ULL << 20U;

/// The fastest of the plans that is_allowed() lets pass; those whose max(x, 0) loses NaN are left out. Empty where
/// there is none. Where the memory for a trial is not there, the one that the library ranks first (none with max).
[[nodiscard]] std::optional<DnnChoice> fastest_plan(CudaDevice& device, const Dnn& dnn, const DnnTarget& target,
                                                    const LibraryConvolution& convolution);

}  // namespace overtake::backend::cuda
