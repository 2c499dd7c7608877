// SPDX-License-Identifier: MIT
// Convolutions as graphs of cuDNN's, the engines it offers for them, and plans that run them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/driver/handle.hpp"
#include "backend/cuda/run/convolution_choice.hpp"
#include "backend/cuda/vendor/cudnn.hpp"

namespace overtake::backend::cuda {

/// Functions of cuDNN, under its own names.
struct DnnApi {
#define OVERTAKE_CUDNN_MEMBER(result, name, parameters) \
  result(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_CUDNN_FUNCTIONS(OVERTAKE_CUDNN_MEMBER)
#undef OVERTAKE_CUDNN_MEMBER
};

using DnnDescriptor = Handle<cudnnBackendDescriptor_t, cudnnStatus_t>;

/// The device that graphs are made for: a handle, or (without a device, in tests) the properties of one.
struct DnnTarget {
  cudnnHandle_t handle = nullptr;
  cudnnBackendDescriptor_t properties = nullptr;
};

/// The tensors of a convolution's graph, by the numbers that a variant pack names them with.
enum class DnnTensor : std::int64_t { a = 1, b, result, bias, mask };

/// A graph and what its descriptors rest on.
struct DnnGraph {
  std::vector<DnnDescriptor> parts;  ///< tensors and operations
  DnnDescriptor graph;
};

/// An engine with its settings.
struct DnnEngine {
  DnnDescriptor configuration;
  std::int64_t number = -1;  ///< the library's of the engine
  std::vector<cudnnBackendNumericalNote_t> notes;
  bool compiles = false;  ///< plans of it take half a second
};

/// A graph compiled for an engine; what it was made from may go.
struct DnnPlan {
  DnnDescriptor plan;
  std::uint64_t workspace_bytes = 0;
  std::int64_t engine = -1;
};

/// Empty where the library refuses a part of it.
[[nodiscard]] std::optional<DnnGraph> dnn_graph(const DnnApi& api, const DnnTarget& target,
                                                const LibraryConvolution& convolution);

/// The engines that one of the library's heuristics proposes, its favourite first, at most `most`.
[[nodiscard]] std::vector<DnnEngine> dnn_engines(const DnnApi& api, const DnnTarget& target, const DnnGraph& graph,
                                                 cudnnBackendHeurMode_t mode, std::int64_t most);

/// True if an engine with these notes may compute the convolution. What it must not do:
/// - give other bits from run to run: NONDETERMINISTIC;
/// - add up in less than float32, or cut operands: REDUCED_PRECISION_REDUCTION, DOWN_CONVERT_INPUTS;
/// - transform operands first, which rounds more than sums do: WINOGRAD (and its tiles), FFT;
/// - multiply operands of float32 in 10 bits where `tf32` is not set: TENSOR_CORE, which has no float32 but that.
[[nodiscard]] bool is_allowed(std::span<const cudnnBackendNumericalNote_t> notes, const ConvolutionCore& core);

/// Compiles; empty where the engine refuses. Takes from microseconds to a second.
[[nodiscard]] std::optional<DnnPlan> dnn_plan(const DnnApi& api, const DnnTarget& target, const DnnEngine& engine);

/// The plan as text, and back. Empty where the library cannot.
[[nodiscard]] std::string dnn_text(const DnnApi& api, const DnnPlan& plan);
[[nodiscard]] std::optional<DnnPlan> dnn_plan(const DnnApi& api, const DnnTarget& target, const std::string& text);

/// Addresses for a plan. Throws DeviceError.
[[nodiscard]] DnnDescriptor dnn_pack(const DnnApi& api, std::span<const DnnTensor> tensors,
                                     std::span<const std::uint64_t> addresses, std::uint64_t workspace);

/// The tensors of the convolution, in this order: a, b, result and those of its epilogue.
[[nodiscard]] std::vector<DnnTensor> dnn_tensors(const ConvolutionEpilogue& epilogue);

}  // namespace overtake::backend::cuda
