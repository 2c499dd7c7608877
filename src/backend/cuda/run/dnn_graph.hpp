// SPDX-License-Identifier: MIT
// Convolutions as graphs of cuDNN's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backend/cuda/run/convolution_choice.hpp"
#include "backend/cuda/run/dnn_descriptor.hpp"

namespace overtake::backend::cuda {

/// The tensors of a convolution's graph, by the numbers that a variant pack names them with.
enum class DnnTensor : std::int64_t { a = 1, b, result, bias, mask };

/// A graph and what its descriptors rest on.
struct DnnGraph {
  std::vector<DnnDescriptor> parts;  ///< tensors and operations
  DnnDescriptor graph;
};

/// Empty where the library refuses a part of it.
[[nodiscard]] std::optional<DnnGraph> dnn_graph(const DnnApi& api, const DnnTarget& target,
                                                const LibraryConvolution& convolution);

/// The tensors of the convolution, in this order: a, b, result and those of its epilogue.
[[nodiscard]] std::vector<DnnTensor> dnn_tensors(const ConvolutionEpilogue& epilogue);

}  // namespace overtake::backend::cuda
