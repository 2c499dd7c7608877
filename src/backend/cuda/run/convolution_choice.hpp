// SPDX-License-Identifier: MIT
// When a convolution goes to cuDNN instead of Overtake's own kernel, and how its tape is expressed there. Pure host code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backend/api/operation.hpp"

namespace overtake::backend::cuda {

/// True when cuDNN is expected to be faster than the own kernel for this convolution: the one compiled for it, or
/// (without a run-time compiler) the interpreted one. A function of shapes only.
[[nodiscard]] bool library_is_faster(const ConvolutionCore& core, bool compiled);

/// How the tape of a convolution is done by the library:
///   y = core [+ bias(channel)], then [max(y, 0)] or [mask > 0 ? y : 0], stored as float32 or bfloat16.
struct ConvolutionEpilogue {
  TapeStore output;
  std::optional<Access> bias;  ///< of the result's channels
  bool relu = false;
  std::optional<Access> mask;  ///< laid out as the result
};

/// The library form of a convolution's tape; empty when it has none (then the convolution is stored and the tape runs
/// as a map).
[[nodiscard]] std::optional<ConvolutionEpilogue> convolution_epilogue(const Operation& operation);

/// Whether a tape goes to the library with its convolution.
enum class Fusing : std::uint8_t {
  never,      ///< the convolution is stored, and the tape runs as a map
  if_faster,  ///< where that takes longer
  always,     ///< where the library has a plan for it
};
/// `epilogue` is that of a convolution. Measured on an H100: fused tapes win but for masks in tf32, which must be tried,
/// and for true float32, where few engines are left; for masks there, only slow ones.
[[nodiscard]] Fusing fusing_of(const ConvolutionCore& core, const ConvolutionEpilogue& epilogue);

/// True for operands that are to be multiplied as float32 holds them.
[[nodiscard]] inline bool is_exact(const ConvolutionCore& core) {
  return core.a.dtype == DType::float32 && !core.tf32;
}

/// A convolution for cuDNN.
struct LibraryConvolution {
  ConvolutionCore core;
  ConvolutionEpilogue epilogue;
  std::uint64_t workspace_bytes = 0;
};

/// Largest power of two, at most 16, that divides the address of a 256-byte aligned slot plus so many elements.
[[nodiscard]] std::int64_t alignment_of(std::int64_t elements, DType dtype);

/// Everything that a plan for the convolution depends on but the device and the library: shapes, order, formats,
/// alignments and tape. Equal texts can use the same plan.
[[nodiscard]] std::string problem_text(const LibraryConvolution& convolution);

}  // namespace overtake::backend::cuda
