// SPDX-License-Identifier: MIT
// Orders of axes: images are seen with their channels first and lie in memory with them last.
#pragma once

#include <functional>
#include <vector>

#include "graph/node.hpp"

namespace overtake::graph {

/// Where all inputs of an element-wise function (of one shape) are the same permutation of something, constants aside,
/// it is computed of what is permuted, and the result is permuted: values keep their order in memory. `make` builds the
/// node of inputs of one shape.
[[nodiscard]] Array in_order_of_memory(const std::vector<Array>& inputs,
                                       const std::function<Array(const std::vector<Array>&)>& make);

/// (n, c, h, w) as (n, h, w, c), and back.
[[nodiscard]] Array channels_last(const Array& images);
[[nodiscard]] Array channels_first(const Array& images);

/// What was converted to float32, where `a` is nothing but that, from bfloat16; else `a`. Operands that are both so are
/// multiplied as they were: the products are the same.
[[nodiscard]] Array before_widening(const Array& a);

/// The gradient by an operand of a product, in the type that it goes on in: that of the operand, but float32 where this
/// is a rounded parameter, whose gradient is not.
[[nodiscard]] Array gradient_by(const Array& operand, const Array& gradient);

}  // namespace overtake::graph
