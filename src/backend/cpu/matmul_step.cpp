// SPDX-License-Identifier: MIT
// Which of the two ways computes a matrix product.
#include "backend/cpu/matmul_library.hpp"

namespace overtake::backend::cpu {
namespace {

// Multiply-adds from which oneDNN is the faster one, its start included (measured on Zen 4: 100 x 16 x 8 is ours by a
// little, 100 x 32 x 16 is oneDNN's by a third).
constexpr std::int64_t least_library_product = 24 * 1024;

}  // namespace

std::unique_ptr<Step> make_matmul_step(const Operation& operation, int threads) {
  const auto& core = std::get<MatMulCore>(operation.core);
  if (core.m * core.n * core.k >= least_library_product) {
    if (auto step = make_library_matmul(operation, threads)) return step;
  }
  return make_packed_matmul(operation, threads);
}

}  // namespace overtake::backend::cpu
