// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "overtake/array.hpp"

/// Functions on arrays. All are lazy, broadcast as NumPy does, and throw UsageError("[name] reason") on bad arguments.
/// Determinism: element-wise functions and reductions give the same bits run to run on one device; sums are taken in
/// one canonical order on every device. matmul is run-to-run.
namespace overtake {

// -- creation ---------------------------------------------------------------------------------------------------------
[[nodiscard]] Array full(const Shape& shape, float value, const Device& device = Device());
[[nodiscard]] Array zeros(const Shape& shape, const Device& device = Device());
[[nodiscard]] Array ones(const Shape& shape, const Device& device = Device());
/// 0, 1, ..., n-1 as int32.
[[nodiscard]] Array arange(std::int32_t n, const Device& device = Device());
/// Uniform float32 in [0, 1), a pure function of (seed, stream, counter, element index) by Philox4x32-10 (Salmon et al.
/// 2011). `counter` is a one-element int32 array, so that a replayed plan can draw anew each step.
[[nodiscard]] Array uniform(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter);

// -- element-wise -----------------------------------------------------------------------------------------------------
[[nodiscard]] Array add(const Array& a, const Array& b);
[[nodiscard]] Array subtract(const Array& a, const Array& b);
[[nodiscard]] Array multiply(const Array& a, const Array& b);
[[nodiscard]] Array divide(const Array& a, const Array& b);
[[nodiscard]] Array power(const Array& a, const Array& b);
/// NaN in either operand gives NaN, as np.maximum.
[[nodiscard]] Array maximum(const Array& a, const Array& b);
[[nodiscard]] Array minimum(const Array& a, const Array& b);
[[nodiscard]] Array negative(const Array& a);
[[nodiscard]] Array abs(const Array& a);
[[nodiscard]] Array sign(const Array& a);
[[nodiscard]] Array square(const Array& a);
[[nodiscard]] Array sqrt(const Array& a);
[[nodiscard]] Array exp(const Array& a);
[[nodiscard]] Array log(const Array& a);
[[nodiscard]] Array log1p(const Array& a);
[[nodiscard]] Array sin(const Array& a);
[[nodiscard]] Array cos(const Array& a);
[[nodiscard]] Array tanh(const Array& a);
[[nodiscard]] Array erf(const Array& a);
[[nodiscard]] Array sigmoid(const Array& a);
[[nodiscard]] Array relu(const Array& a);
[[nodiscard]] Array leaky_relu(const Array& a, float negative_slope = 0.01F);
/// Exact GELU: x/2 (1 + erf(x/sqrt 2)).
[[nodiscard]] Array gelu(const Array& a);
[[nodiscard]] Array silu(const Array& a);
/// Comparisons: float32 1 where true, 0 where false. `equal` also takes two int32 arrays.
[[nodiscard]] Array equal(const Array& a, const Array& b);
[[nodiscard]] Array not_equal(const Array& a, const Array& b);
[[nodiscard]] Array less(const Array& a, const Array& b);
[[nodiscard]] Array less_equal(const Array& a, const Array& b);
[[nodiscard]] Array greater(const Array& a, const Array& b);
[[nodiscard]] Array greater_equal(const Array& a, const Array& b);
/// `a` where condition is not 0, else `b`.
[[nodiscard]] Array where(const Array& condition, const Array& a, const Array& b);
/// Conversion; float to int32 truncates toward zero, takes what int32 cannot hold to its nearest end, and NaN to 0, on
/// every device.
[[nodiscard]] Array astype(const Array& a, DType dtype);

// -- reductions (canonical order) -------------------------------------------------------------------------------------
/// Over all elements when `axis` is empty, else over that axis (negative counts from the end).
[[nodiscard]] Array sum(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
[[nodiscard]] Array mean(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
[[nodiscard]] Array max(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
[[nodiscard]] Array min(const Array& a, std::optional<int> axis = {}, bool keepdims = false);
/// Index (int32) of the largest element along the last axis; ties take the first, NaN counts as largest.
[[nodiscard]] Array argmax(const Array& a);

// -- rows (last axis) -------------------------------------------------------------------------------------------------
[[nodiscard]] Array softmax(const Array& a);
[[nodiscard]] Array log_softmax(const Array& a);
/// Per-row loss -log softmax(logits)[label]: logits (rows, classes) float32, labels (rows,) int32 -> (rows,) float32.
/// A label outside [0, classes) gives NaN.
[[nodiscard]] Array cross_entropy_rows(const Array& logits, const Array& labels);

// -- linear algebra ---------------------------------------------------------------------------------------------------
/// (m, k) x (k, n) -> (m, n), float32, strict fp32 arithmetic.
[[nodiscard]] Array matmul(const Array& a, const Array& b);

// -- shape ------------------------------------------------------------------------------------------------------------
/// At most one extent may be -1 (inferred).
[[nodiscard]] Array reshape(const Array& a, std::vector<std::int64_t> extents);
/// Reverses the axes.
[[nodiscard]] Array transpose(const Array& a);
[[nodiscard]] Array broadcast_to(const Array& a, const Shape& shape);
/// Rows [begin, end) of the first axis.
[[nodiscard]] Array slice(const Array& a, std::int64_t begin, std::int64_t end);
/// Rows a[indices]: indices (n,) int32 -> (n, ...). An index outside the rows gives NaN rows (int32: 0x80000000). Not
/// differentiable by `a`.
[[nodiscard]] Array take(const Array& a, const Array& indices);
/// Rows a[indices[start*count ... start*count+count)]: the batch number `start` (a one-element int32 array) of `count`
/// rows. Used by compiled training loops; not differentiable.
[[nodiscard]] Array take_batch(const Array& a, const Array& indices, const Array& start, std::int64_t count);

// -- operators --------------------------------------------------------------------------------------------------------
[[nodiscard]] inline Array operator+(const Array& a, const Array& b) { return add(a, b); }
[[nodiscard]] inline Array operator-(const Array& a, const Array& b) { return subtract(a, b); }
[[nodiscard]] inline Array operator*(const Array& a, const Array& b) { return multiply(a, b); }
[[nodiscard]] inline Array operator/(const Array& a, const Array& b) { return divide(a, b); }
[[nodiscard]] inline Array operator-(const Array& a) { return negative(a); }

}  // namespace overtake
