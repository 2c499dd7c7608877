// SPDX-License-Identifier: MIT
// kernels/graph/elements.k as C++: formula() for each element function and type, from the text that the kernels
// compile.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "backend/api/tape.hpp"
#include "core/hypotenuse.hpp"

namespace overtake::backend::cpu::formulas {

template <TapeCode code>
using Code = std::integral_constant<TapeCode, code>;

// The names that the bodies use: of all types, and before the C library's, which are for double alone.
using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh, std::ceil, std::copysign;
using std::cos, std::cosh, std::erf, std::exp, std::expm1, std::fabs, std::floor, std::fmod, std::log;
using std::log10, std::log1p, std::log2, std::nextafter, std::pow, std::rint, std::signbit, std::sin, std::sinh;
using std::sqrt, std::tan, std::tanh, std::trunc;
[[maybe_unused]] static inline float hypot(float a, float b) { return hypotenuse(a, b); }
[[maybe_unused]] static inline double hypot(double a, double b) { return hypotenuse(a, b); }
using int8 = std::int8_t;
using int16 = std::int16_t;
using uint32 = std::uint32_t;
using int64 = std::int64_t;
using uint64 = std::uint64_t;

// NOLINTBEGIN: this is the dialect (docs/dialect.md)
#define DEVICE [[maybe_unused]] static inline
#define as_int(x) std::bit_cast<int>(x)
#define as_float(x) std::bit_cast<float>(x)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wfloat-equal"
#pragma GCC diagnostic ignored "-Wmisleading-indentation"
// clang-format off
#include "kernels/graph/tape.k"
// clang-format on
#define OVERTAKE_GIVES_SAME(T) T
#define OVERTAKE_GIVES_TRUTH(T) int
#define OVERTAKE_GIVES_int(T) int
#define OVERTAKE_GIVES_int64(T) int64
#define OVERTAKE_GIVES_uint64(T) uint64
#define OVERTAKE_GIVES_float(T) float
#define OVERTAKE_GIVES_double(T) double
#define OVERTAKE_FORMULA(type, unsigned_type, name, result, body)                       \
  DEVICE OVERTAKE_GIVES_##result(type)                                                  \
      formula(Code<TapeCode::name>, [[maybe_unused]] type a, [[maybe_unused]] type b) { \
    using T [[maybe_unused]] = type;                                                    \
    using U [[maybe_unused]] = unsigned_type;                                           \
    body                                                                                \
  }
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db) \
  TYPES_##types(OVERTAKE_FORMULA, name, result, body)
ELEMENT_FUNCTIONS(OVERTAKE_ROW)
TAPE_FUNCTIONS(OVERTAKE_ROW)
#undef OVERTAKE_ROW
#undef OVERTAKE_FORMULA
#pragma GCC diagnostic pop
#undef DEVICE
#undef as_int
#undef as_float
// NOLINTEND

}  // namespace overtake::backend::cpu::formulas
