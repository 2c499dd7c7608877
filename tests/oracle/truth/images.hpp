// SPDX-License-Identifier: MIT
// What convolutions and pooling (backend/api/image_cores.hpp) mean, in double precision.
#pragma once

#include <vector>

#include "backend/api/image_cores.hpp"

namespace overtake::oracle {

/// The core's values in the order of memory, from the elements of its operands.
[[nodiscard]] std::vector<double> convolution_of(const backend::ConvolutionCore& core, const std::vector<double>& a,
                                                 const std::vector<double>& b);
/// The same; an operand that the core does not read is empty.
[[nodiscard]] std::vector<double> pool_of(const backend::PoolCore& core, const std::vector<double>& x,
                                          const std::vector<double>& dy);

/// Elements of the operands a and b, x and dy; 0 for one that is not read.
struct OperandSizes {
  std::int64_t first = 0, second = 0;
};
[[nodiscard]] OperandSizes operand_sizes(const backend::ConvolutionCore& core);
[[nodiscard]] OperandSizes operand_sizes(const backend::PoolCore& core);

}  // namespace overtake::oracle
