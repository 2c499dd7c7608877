// SPDX-License-Identifier: MIT
// One table of every differentiable and every other function on arrays: how to call it, and its truth as plain loops in
// double precision. The tests walk the table: values and gradients, on every device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "overtake/ops.hpp"

namespace overtake::oracle {

/// A dense row-major array of doubles.
struct Tensor {
  std::vector<std::int64_t> extents;
  std::vector<double> values;

  [[nodiscard]] std::int64_t size() const;
};

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

/// Helpers for truths.
[[nodiscard]] Tensor map1(const Tensor& a, const std::function<double(double)>& f);
[[nodiscard]] Tensor map2(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f);
[[nodiscard]] Tensor broadcast(const Tensor& a, const std::vector<std::int64_t>& extents);
/// Reduces `axis` with f over the column of values; `keep` keeps the axis with extent 1.
[[nodiscard]] Tensor reduce_axis(const Tensor& a, int axis, const std::function<double(const std::vector<double>&)>& f);

}  // namespace overtake::oracle
