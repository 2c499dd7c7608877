// SPDX-License-Identifier: MIT
// A schedule turned into the steps that CUDA runs: own kernels, library products and
// library convolutions, with their memory. Pure host code.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "backend/common/lower/lowering.hpp"
#include "backend/cuda/driver/dependencies.hpp"
#include "backend/cuda/run/convolution_choice.hpp"
#include "backend/cuda/run/matmul_choice.hpp"

namespace overtake::backend::cuda {

/// Products of a batch, of like shape: elements from one's operand or result to the next one's.
struct ProductBatch {
  std::int64_t count = 1;
  std::int64_t a_step = 0, b_step = 0, result_step = 0;
};

/// A matrix product for cuBLASLt: D = alpha * a b + beta * C (+ bias). A batch of several has no bias.
struct LibraryProduct {
  MatMulCore core;
  ProductBatch batch;
  LibraryEpilogue epilogue;
  /// One-element slots that hold alpha and beta when alpha is known on the device only; -1 otherwise.
  int alpha_slot = -1;
  int beta_slot = -1;
  std::uint64_t workspace_bytes = 0;
  std::uint64_t workspace_offset = 0;  ///< from the start of the step's scratch memory
  int rank = 0;                        ///< which of the library's algorithms, best first by its own heuristic
};

struct PlanStep {
  std::variant<LoweredKernel, LibraryProduct, LibraryConvolution> work;
  std::vector<int> reads;            ///< slots
  std::vector<int> writes;           ///< slots
  std::uint64_t scratch_offset = 0;  ///< from the start of the executable's arena
  std::uint64_t scratch_bytes = 0;
  int operation = 0;  ///< index into the schedule, for messages
  /// The scratch pointer of an interpreted kernel: where its words begin in Plan::words. Only read.
  std::optional<std::size_t> words_begin;
};

struct Plan {
  std::vector<Slot> slots;  ///< the schedule's, perhaps moved in the arena, then those the plan needs for itself
  std::vector<PlanStep> steps;
  std::vector<MemoryRange> zeroed;  ///< stretches of the arena to clear once, before the first run
  std::uint64_t arena_bytes = 0;    ///< schedule's arena plus scratch
  std::vector<std::int32_t> words;  ///< constants of interpreted kernels, to be uploaded once
  int library_products = 0;
  int library_convolutions = 0;
};

/// Asked once for each product whether the library shall do it; empty: the own kernel does.
struct ProductFit {
  std::uint64_t workspace_bytes = 0;
  int rank = 0;
};
using ProductQuery = std::function<std::optional<ProductFit>(const LibraryProduct&)>;
/// Asked for each convolution, with its tape and (where that is refused) with a plain store to memory of its own,
/// whether the library shall do it: the bytes of workspace it needs. Empty: the own kernel does.
using ConvolutionQuery = std::function<std::optional<std::uint64_t>(const LibraryConvolution&)>;
/// lower() or lower_interpreted().
using Lowering = std::function<LoweredOperation(const Operation&)>;

/// An empty query means that there is no library of that kind.
[[nodiscard]] Plan make_plan(const Schedule& schedule, const Lowering& lowering, const ProductQuery& query,
                             const ConvolutionQuery& convolutions = {});

/// Byte ranges that each step reads and writes, given the address of each slot's first byte and of the arena.
[[nodiscard]] std::vector<MemoryUse> memory_uses(const Plan& plan, std::span<const std::uint64_t> slot_addresses,
                                                 std::uint64_t arena_address);

}  // namespace overtake::backend::cuda
