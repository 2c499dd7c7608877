// SPDX-License-Identifier: MIT
// Functions of dense arrays as plain loops in double precision.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace overtake::oracle {

/// A dense row-major array of doubles.
struct Tensor {
  std::vector<std::int64_t> extents;
  std::vector<double> values;

  [[nodiscard]] std::int64_t size() const;
};

[[nodiscard]] Tensor map1(const Tensor& a, const std::function<double(double)>& f);
[[nodiscard]] Tensor map2(const Tensor& a, const Tensor& b, const std::function<double(double, double)>& f);
[[nodiscard]] Tensor broadcast(const Tensor& a, const std::vector<std::int64_t>& extents);
/// condition != 0 ? a : b, brought to the shape of `condition`.
[[nodiscard]] Tensor choose(const Tensor& condition, const Tensor& a, const Tensor& b);
/// Reduces `axis` with f over the column of values.
[[nodiscard]] Tensor reduce_axis(const Tensor& a, int axis, const std::function<double(const std::vector<double>&)>& f);

[[nodiscard]] double sum_of(const std::vector<double>& values);
[[nodiscard]] double mean_of(const std::vector<double>& values);
/// NaN if there is one among them.
[[nodiscard]] double max_of(const std::vector<double>& values);
[[nodiscard]] double min_of(const std::vector<double>& values);

/// Of matrices.
[[nodiscard]] Tensor product(const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor transposed(const Tensor& a);

/// Of one row.
[[nodiscard]] std::vector<double> softmax_of(std::vector<double> row);
[[nodiscard]] std::vector<double> log_softmax_of(std::vector<double> row);
/// The first of the largest; NaN counts as largest.
[[nodiscard]] std::int32_t argmax_of(const std::vector<double>& row);
/// `f` of each row, along the last axis.
[[nodiscard]] Tensor map_rows(const Tensor& a, const std::function<std::vector<double>(std::vector<double>)>& f);

}  // namespace overtake::oracle
