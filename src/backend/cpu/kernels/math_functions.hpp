// SPDX-License-Identifier: MIT
// The functions of C that kernels on the CPU may call, with one and with two arguments, by their names for double;
// those for float have an f behind.
#pragma once

// clang-format off
#define OVERTAKE_MATH_1(F) \
  F(acos) F(acosh) F(asin) F(asinh) F(atan) F(atanh) F(cbrt) F(ceil) F(cos) \
  F(cosh) F(erf) F(erfc) F(exp) F(exp2) F(expm1) F(fabs) F(floor) F(lgamma) \
  F(log) F(log10) F(log1p) F(log2) F(rint) F(round) F(sin) F(sinh) F(sqrt) \
  F(tan) F(tanh) F(tgamma) F(trunc)
// clang-format on
#define OVERTAKE_MATH_2_OF_C(F) F(atan2) F(copysign) F(fdim) F(fmax) F(fmin) F(fmod) F(nextafter) F(pow) F(remainder)
/// hypot is core/hypotenuse.hpp's where the library itself provides it.
#define OVERTAKE_MATH_2(F) OVERTAKE_MATH_2_OF_C(F) F(hypot)
