// SPDX-License-Identifier: MIT
// The library for matrix products and convolutions that this build was made with, if any: the files onednn_*.cpp
// answer, or no_matmul_library.cpp.
#pragma once

#include <string>

#include "backend/api/details.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {

/// Name and version: "oneDNN 2.6.0"; empty where this build has none.
[[nodiscard]] std::string matmul_library();

/// Null where this build has none.
[[nodiscard]] std::unique_ptr<Step> make_library_matmul(const Operation& operation, int threads);

/// Of bfloat16 operands. Null where this build has none, or no instructions for it are here.
[[nodiscard]] std::unique_ptr<Step> make_library_bf16_matmul(const Operation& operation, int threads);

/// Null where this build has none, or it has no code for this convolution.
[[nodiscard]] std::unique_ptr<Step> make_library_convolution(const Operation& operation, int threads);

/// How many times the operations of float32 the processor can do in bfloat16; 0: it has no instructions for it, or this
/// build no library.
[[nodiscard]] int bf16_advantage();

/// A square product in bfloat16; empty where bf16_advantage() is 0.
[[nodiscard]] RateProbe bf16_product(int threads);

}  // namespace overtake::backend::cpu
