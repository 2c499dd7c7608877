// SPDX-License-Identifier: MIT
// The engines that cuDNN offers for a graph, and plans that run it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/run/dnn_graph.hpp"

namespace overtake::backend::cuda {

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

}  // namespace overtake::backend::cuda
