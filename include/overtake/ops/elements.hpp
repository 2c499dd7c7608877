// SPDX-License-Identifier: MIT
// Element-wise functions. Those of floating numbers convert whole numbers to float32 first. float16 and bfloat16 are
// computed in float32 and rounded after each function; whole numbers wrap round. Accuracy and gradients of each
// function: src/kernels/graph/elements.k.
#pragma once

#include <optional>

#include "overtake/array.hpp"

namespace overtake {

// -- arithmetic -------------------------------------------------------------------------------------------------------
[[nodiscard]] Array add(const Array& a, const Array& b);
[[nodiscard]] Array subtract(const Array& a, const Array& b);
[[nodiscard]] Array multiply(const Array& a, const Array& b);
/// Of whole numbers float32.
[[nodiscard]] Array divide(const Array& a, const Array& b);
/// Toward minus infinity, as Python's //. Whole numbers divided by 0 give 0.
[[nodiscard]] Array floor_divide(const Array& a, const Array& b);
/// With the sign of b, as Python's %.
[[nodiscard]] Array remainder(const Array& a, const Array& b);
/// Whole numbers to negative powers: 0, but for 1 and -1.
[[nodiscard]] Array power(const Array& a, const Array& b);
[[nodiscard]] Array negative(const Array& a);
[[nodiscard]] Array abs(const Array& a);
/// -1, 0 or 1; NaN for NaN.
[[nodiscard]] Array sign(const Array& a);
[[nodiscard]] Array square(const Array& a);
[[nodiscard]] Array reciprocal(const Array& a);
/// NaN in either operand gives NaN, as np.maximum; +0 is above -0.
[[nodiscard]] Array maximum(const Array& a, const Array& b);
[[nodiscard]] Array minimum(const Array& a, const Array& b);
/// Between low and high, which may be arrays; a missing end does not bound. Of a's type.
[[nodiscard]] Array clip(const Array& a, const std::optional<Array>& low, const std::optional<Array>& high);

// -- exponentials, roots, trigonometry --------------------------------------------------------------------------------
[[nodiscard]] Array sqrt(const Array& a);
[[nodiscard]] Array exp(const Array& a);
[[nodiscard]] Array expm1(const Array& a);
[[nodiscard]] Array log(const Array& a);
[[nodiscard]] Array log1p(const Array& a);
[[nodiscard]] Array log2(const Array& a);
[[nodiscard]] Array log10(const Array& a);
/// log(exp(a) + exp(b)) without overflow.
[[nodiscard]] Array logaddexp(const Array& a, const Array& b);
[[nodiscard]] Array sin(const Array& a);
[[nodiscard]] Array cos(const Array& a);
[[nodiscard]] Array tan(const Array& a);
[[nodiscard]] Array asin(const Array& a);
[[nodiscard]] Array acos(const Array& a);
[[nodiscard]] Array atan(const Array& a);
/// The angle of the point (b, a).
[[nodiscard]] Array atan2(const Array& a, const Array& b);
[[nodiscard]] Array sinh(const Array& a);
[[nodiscard]] Array cosh(const Array& a);
[[nodiscard]] Array tanh(const Array& a);
[[nodiscard]] Array asinh(const Array& a);
[[nodiscard]] Array acosh(const Array& a);
[[nodiscard]] Array atanh(const Array& a);
/// sqrt(a^2 + b^2) without overflow.
[[nodiscard]] Array hypot(const Array& a, const Array& b);
[[nodiscard]] Array erf(const Array& a);

// -- rounding and parts of numbers ------------------------------------------------------------------------------------
/// These four leave whole numbers as they are; round() takes ties to even.
[[nodiscard]] Array floor(const Array& a);
[[nodiscard]] Array ceil(const Array& a);
[[nodiscard]] Array trunc(const Array& a);
[[nodiscard]] Array round(const Array& a);
/// The magnitude of a with the sign of b.
[[nodiscard]] Array copysign(const Array& a, const Array& b);
/// The next float32 or float64 after a towards b.
[[nodiscard]] Array nextafter(const Array& a, const Array& b);
[[nodiscard]] Array isnan(const Array& a);
[[nodiscard]] Array isinf(const Array& a);
[[nodiscard]] Array isfinite(const Array& a);
[[nodiscard]] Array signbit(const Array& a);

// -- activations ------------------------------------------------------------------------------------------------------
[[nodiscard]] Array sigmoid(const Array& a);
[[nodiscard]] Array relu(const Array& a);
[[nodiscard]] Array leaky_relu(const Array& a, float negative_slope = 0.01F);
/// Exact GELU: x/2 (1 + erf(x/sqrt 2)).
[[nodiscard]] Array gelu(const Array& a);
[[nodiscard]] Array silu(const Array& a);

// -- comparisons, logic, bits: bool, but for the bits -----------------------------------------------------------------
[[nodiscard]] Array equal(const Array& a, const Array& b);
[[nodiscard]] Array not_equal(const Array& a, const Array& b);
[[nodiscard]] Array less(const Array& a, const Array& b);
[[nodiscard]] Array less_equal(const Array& a, const Array& b);
[[nodiscard]] Array greater(const Array& a, const Array& b);
[[nodiscard]] Array greater_equal(const Array& a, const Array& b);
/// Of any type: what is not 0 is true.
[[nodiscard]] Array logical_not(const Array& a);
[[nodiscard]] Array logical_and(const Array& a, const Array& b);
[[nodiscard]] Array logical_or(const Array& a, const Array& b);
[[nodiscard]] Array logical_xor(const Array& a, const Array& b);
/// Of whole numbers and bool.
[[nodiscard]] Array bitwise_invert(const Array& a);
[[nodiscard]] Array bitwise_and(const Array& a, const Array& b);
[[nodiscard]] Array bitwise_or(const Array& a, const Array& b);
[[nodiscard]] Array bitwise_xor(const Array& a, const Array& b);
/// Shifts by the width or more leave 0 (to the right of negative numbers: -1).
[[nodiscard]] Array bitwise_left_shift(const Array& a, const Array& b);
[[nodiscard]] Array bitwise_right_shift(const Array& a, const Array& b);

// -- choice and conversion --------------------------------------------------------------------------------------------
/// `a` where condition is not 0, else `b`.
[[nodiscard]] Array where(const Array& condition, const Array& a, const Array& b);
/// Conversion. Floats to whole numbers truncate toward zero, take what the type cannot hold to its nearest end, and NaN
/// to 0, on every device; whole numbers wrap round; bool is what is not 0.
[[nodiscard]] Array astype(const Array& a, DType dtype);

// -- operators --------------------------------------------------------------------------------------------------------
[[nodiscard]] inline Array operator+(const Array& a, const Array& b) { return add(a, b); }
[[nodiscard]] inline Array operator-(const Array& a, const Array& b) { return subtract(a, b); }
[[nodiscard]] inline Array operator*(const Array& a, const Array& b) { return multiply(a, b); }
[[nodiscard]] inline Array operator/(const Array& a, const Array& b) { return divide(a, b); }
[[nodiscard]] inline Array operator%(const Array& a, const Array& b) { return remainder(a, b); }
[[nodiscard]] inline Array operator-(const Array& a) { return negative(a); }
[[nodiscard]] inline Array operator~(const Array& a) { return bitwise_invert(a); }
[[nodiscard]] inline Array operator!(const Array& a) { return logical_not(a); }
[[nodiscard]] inline Array operator&(const Array& a, const Array& b) { return bitwise_and(a, b); }
[[nodiscard]] inline Array operator|(const Array& a, const Array& b) { return bitwise_or(a, b); }
[[nodiscard]] inline Array operator^(const Array& a, const Array& b) { return bitwise_xor(a, b); }
[[nodiscard]] inline Array operator<<(const Array& a, const Array& b) { return bitwise_left_shift(a, b); }
[[nodiscard]] inline Array operator>>(const Array& a, const Array& b) { return bitwise_right_shift(a, b); }
[[nodiscard]] inline Array operator==(const Array& a, const Array& b) { return equal(a, b); }
[[nodiscard]] inline Array operator!=(const Array& a, const Array& b) { return not_equal(a, b); }
[[nodiscard]] inline Array operator<(const Array& a, const Array& b) { return less(a, b); }
[[nodiscard]] inline Array operator<=(const Array& a, const Array& b) { return less_equal(a, b); }
[[nodiscard]] inline Array operator>(const Array& a, const Array& b) { return greater(a, b); }
[[nodiscard]] inline Array operator>=(const Array& a, const Array& b) { return greater_equal(a, b); }
/// These give the handle a new value of its old type; other handles to the old array keep it.
inline Array& operator+=(Array& a, const Array& b) { return a = astype(add(a, b), a.dtype()); }
inline Array& operator-=(Array& a, const Array& b) { return a = astype(subtract(a, b), a.dtype()); }
inline Array& operator*=(Array& a, const Array& b) { return a = astype(multiply(a, b), a.dtype()); }
inline Array& operator/=(Array& a, const Array& b) { return a = divide(a, b); }
inline Array& operator%=(Array& a, const Array& b) { return a = astype(remainder(a, b), a.dtype()); }
inline Array& operator&=(Array& a, const Array& b) { return a = astype(bitwise_and(a, b), a.dtype()); }
inline Array& operator|=(Array& a, const Array& b) { return a = astype(bitwise_or(a, b), a.dtype()); }
inline Array& operator^=(Array& a, const Array& b) { return a = astype(bitwise_xor(a, b), a.dtype()); }
inline Array& operator<<=(Array& a, const Array& b) { return a = astype(bitwise_left_shift(a, b), a.dtype()); }
inline Array& operator>>=(Array& a, const Array& b) { return a = astype(bitwise_right_shift(a, b), a.dtype()); }

}  // namespace overtake
