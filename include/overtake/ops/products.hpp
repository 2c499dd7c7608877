// SPDX-License-Identifier: MIT
// Linear algebra. Products of float32 are strict fp32; half precision is multiplied in float32 and rounded once; other
// types are added up in their own.
#pragma once

#include <string_view>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

/// (..., m, k) x (..., k, n) -> (..., m, n); the leading axes broadcast, and vectors are rows on the left, columns on
/// the right, as np.matmul. Throws UsageError when the inner extents differ.
[[nodiscard]] Array matmul(const Array& a, const Array& b);
/// The sum of a * b along an axis.
[[nodiscard]] Array vecdot(const Array& a, const Array& b, int axis = -1);
/// As np.dot of at most two axes: the product of vectors, matrices, or of a number.
[[nodiscard]] Array dot(const Array& a, const Array& b);
/// All products of an element of a (flattened) with one of b.
[[nodiscard]] Array outer(const Array& a, const Array& b);
/// Sums over pairs of axes: the last `axes` of a with the first of b, or those that are named.
[[nodiscard]] Array tensordot(const Array& a, const Array& b, int axes = 2);
[[nodiscard]] Array tensordot(const Array& a, const Array& b, const std::vector<int>& a_axes,
                              const std::vector<int>& b_axes);
/// Einstein's sums, as np.einsum: "ij,jk->ik", "bij,bjk->bik". Letters only: no ellipsis, no label twice in one
/// operand. Throws UsageError for labels that do not fit.
[[nodiscard]] Array einsum(std::string_view subscripts, const std::vector<Array>& operands);

}  // namespace overtake
