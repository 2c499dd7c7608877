// SPDX-License-Identifier: MIT
// The vectorised inner loops of the CPU backend. Each is compiled for several instruction sets (SSE4, AVX2, AVX-512)
// and the best one the processor has is chosen at run time, by Highway.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/api/tape.hpp"

namespace overtake::backend::cpu {

/// Elements that a tape works on at a time: a register of the tape is one block, small enough for many to stay in the
/// first-level cache. Equal to the lanes of a canonical full reduction.
inline constexpr std::size_t block_size = 256;

/// out[i] = what(a[i], b[i], c[i]) for i < n <= block_size. Operands that the code does not use may be null; values are
/// of the types that the instruction says (backend/api/tape.hpp). `out` may be one of the operands of its size.
void apply_block(const TapeInstruction& what, const void* a, const void* b, const void* c, void* out, std::size_t n);

/// Between float32 and bfloat16, n values of any number.
void widen_bfloat16s(const std::uint16_t* from, float* to, std::size_t n);
void narrow_bfloat16s(const float* from, std::uint16_t* to, std::size_t n);

/// Columns of a panel of packed_product, at most.
inline constexpr std::size_t most_panel_columns = 32;
/// Columns of a panel on this processor: two vectors.
[[nodiscard]] std::size_t panel_columns();

/// Rows of a (m x k, element i,j at a[i * row_stride + j * column_stride]) times packed panels of b, into c (row-major,
/// `columns` per row). `panels` holds b as ceil(columns / panel_columns()) panels of (k x panel_columns()),
/// zero-padded.
struct ProductBlock {
  const float* a = nullptr;
  std::ptrdiff_t row_stride = 0, column_stride = 0;
  const float* panels = nullptr;
  float* c = nullptr;
  std::size_t rows = 0, columns = 0, k = 0;
};
void packed_product(const ProductBlock& block);

/// Packs b (k x columns, element i,j at b[i * row_stride + j * column_stride]) into panels.
void pack_panels(const float* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t k,
                 std::size_t columns, float* panels);

/// Name of the instruction set in use: "AVX3", "AVX2".
[[nodiscard]] const char* instruction_set();
/// float32 multiply-adds a cycle and core this instruction set can start, assuming two units; 0 if unknown.
[[nodiscard]] int fused_multiply_adds_per_cycle();

}  // namespace overtake::backend::cpu
