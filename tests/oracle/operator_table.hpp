// SPDX-License-Identifier: MIT
// One table of every differentiable and every other function on arrays: how to call it, and its truth as plain loops in
// double precision. The tests walk the table: values and gradients, on every device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "oracle/truth/tensor.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {

struct OperatorCase {
  std::string name;
  std::vector<std::vector<std::int64_t>> shapes;  ///< of the float inputs
  double low = -2, high = 2;                      ///< inputs are drawn from [low, high)
  std::function<Array(const std::vector<Array>&)> call;
  std::function<Tensor(const std::vector<Tensor>&)> truth;
  bool differentiable = true;
  double tolerance = 4e-6;  ///< of values, relative to the largest magnitude, but at least to `scale`
  double scale = 1e-3;      ///< of the terms, where they may cancel
  /// Distance to keep from points where the function has no derivative: inputs nearer to 0 are moved away.
  double keep_from_zero = 0;
};

/// Every case, each function on several shapes (sizes of 1, odd sizes, broadcasts, views).
[[nodiscard]] const std::vector<OperatorCase>& operator_table();

/// The values, rounded to float, as arrays on a device.
[[nodiscard]] std::vector<Array> upload(const std::vector<Tensor>& tensors, const Device& device);

}  // namespace overtake::oracle
