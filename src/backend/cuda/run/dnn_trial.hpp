// SPDX-License-Identifier: MIT
// Which of cuDNN's plans for a convolution is the fastest on this device: tried once, on memory of the real size.
#pragma once

#include <optional>

#include "backend/cuda/run/dnn.hpp"

namespace overtake::backend::cuda {

/// The engines that is_allowed() lets pass, the library's favourites first, and a place for the plan of each.
struct DnnCandidates {
  std::optional<DnnGraph> graph;
  std::vector<DnnEngine> engines;
  std::vector<std::optional<DnnPlan>> plans;
};

/// Of those that must be compiled, which takes long, only a few.
[[nodiscard]] DnnCandidates dnn_candidates(const DnnApi& api, const DnnTarget& target,
                                           const LibraryConvolution& convolution);

/// Most workspace that a plan may ask for: some engines turn their tensors into another order first.
[[nodiscard]] std::uint64_t workspace_limit(const LibraryConvolution& convolution);

/// The fastest of the plans, which is taken out. Left out are those whose max(x, 0) loses NaN, and for true float32
/// those that give fractions for sums of small whole numbers, which sums in float32 do not. Empty where there is none.
/// Where the memory for a trial is not there, the one that the library ranks first (none with max).
[[nodiscard]] std::optional<DnnChoice> fastest_plan(CudaDevice& device, const Dnn& dnn,
                                                    const LibraryConvolution& convolution, DnnCandidates& candidates);

}  // namespace overtake::backend::cuda
