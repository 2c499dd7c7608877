// SPDX-License-Identifier: MIT
// When a matrix product goes to cuBLASLt instead of Overtake's own kernel, and how its tape is expressed there. Pure
// host code; a function of shapes only, never of the environment or of timings, so that the same program gives the same
// bits on the same machine every time.
#pragma once

#include <cstdint>
#include <optional>

#include "backend/api/operation.hpp"

namespace overtake::backend::cuda {

/// True when cuBLASLt is expected to be faster than the own kernel for this product: the one compiled for it, or
/// (without a run-time compiler) the interpreted one; `batch`: of so many.
[[nodiscard]] bool library_is_faster(const MatMulCore& core, bool compiled, std::int64_t batch = 1);

/// How the tape of a product is done by the library:
///   D = alpha * core + beta * C, or D = core + bias (a row vector).
struct LibraryEpilogue {
  enum class Kind : std::uint8_t {
    store,       ///< D = core
    bias,        ///< D(i, j) = core(i, j) + bias(j)
    accumulate,  ///< D = alpha * core + beta * C
  } kind = Kind::store;
  int output_slot = -1;
  DType output_dtype = DType::float32;  ///< or bfloat16
  std::optional<Access> bias;
  int c_slot = -1;                     ///< accumulate: C, laid out as D; may be D itself
  double alpha = 1;                    ///< accumulate: constant factor of alpha
  std::optional<Access> alpha_scalar;  ///< accumulate: one-element array that multiplies `alpha`
  double beta = 0;
};

/// The library form of a product's tape; empty when it has none (then the product is stored and the tape runs as a
/// map). Rectified outputs have none on purpose: the library's ReLU does not promise to keep NaN, our maximum does.
[[nodiscard]] std::optional<LibraryEpilogue> library_epilogue(const Operation& operation);

/// The tape of `operation` as a map over a stored product: `core` instructions become loads of `core_slot`.
[[nodiscard]] Operation map_over_stored_core(const Operation& operation, int core_slot);

}  // namespace overtake::backend::cuda
