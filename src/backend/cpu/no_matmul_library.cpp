// SPDX-License-Identifier: MIT
// In the place of the files onednn_*.cpp where a build has no oneDNN.
#include "backend/cpu/matmul_library.hpp"

namespace overtake::backend::cpu {

std::string matmul_library() { return {}; }

std::unique_ptr<Step> make_library_matmul(const Operation& /*operation*/, int /*threads*/) { return nullptr; }

std::unique_ptr<Step> make_library_bf16_matmul(const Operation& /*operation*/, int /*threads*/) { return nullptr; }

std::unique_ptr<Step> make_library_convolution(const Operation& /*operation*/, int /*threads*/) { return nullptr; }

int bf16_advantage() { return 0; }

RateProbe bf16_product(int /*threads*/) { return {}; }

}  // namespace overtake::backend::cpu
