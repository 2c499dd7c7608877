// SPDX-License-Identifier: MIT
// kernels/graph/elements.k as C++: tape_NAME for each element function, from the text that the kernels compile.
#pragma once

#include <bit>
#include <cmath>

namespace overtake::backend::cpu::formulas {

// NOLINTBEGIN: this is the dialect (docs/dialect.md)
#define DEVICE [[maybe_unused]] static inline
#define as_int(x) std::bit_cast<int>(x)
#define as_float(x) std::bit_cast<float>(x)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
// clang-format off
#include "kernels/graph/elements.k"
#include "kernels/graph/tape.k"
// clang-format on
#pragma GCC diagnostic pop
#undef DEVICE
#undef as_int
#undef as_float
// NOLINTEND

}  // namespace overtake::backend::cpu::formulas
