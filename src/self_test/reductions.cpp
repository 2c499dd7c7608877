// SPDX-License-Identifier: MIT
// Reductions and functions of rows. Sums are of whole numbers, so they are exact in any order.
#include <algorithm>
#include <cmath>

#include "overtake/ops.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

/// Sums, largest and smallest of each row, or of each column.
struct Reduced {
  std::vector<float> sum, largest, smallest;
};

Reduced reduce(const std::vector<float>& x, std::int64_t rows, std::int64_t columns, bool of_rows) {
  Reduced result;
  const std::int64_t outer = of_rows ? rows : columns;
  const std::int64_t inner = of_rows ? columns : rows;
  for (std::int64_t i = 0; i < outer; ++i) {
    float sum = 0, largest = -1e9F, smallest = 1e9F;
    for (std::int64_t j = 0; j < inner; ++j) {
      const float value = x[static_cast<std::size_t>(of_rows ? i * columns + j : j * columns + i)];
      sum += value;
      largest = std::max(largest, value);
      smallest = std::min(smallest, value);
    }
    result.sum.push_back(sum);
    result.largest.push_back(largest);
    result.smallest.push_back(smallest);
  }
  return result;
}

void check_shape(const Device& device, std::int64_t rows, std::int64_t columns) {
  const std::vector<float> x = whole_numbers(rows * columns, -9, 9, 3);
  const Array a = Array::from(x, {rows, columns}, device);
  for (const int axis : {1, 0}) {
    const Reduced expected = reduce(x, rows, columns, axis == 1);
    expect_equal("sum", sum(a, axis).to_vector<float>(), expected.sum);
    if (axis == 0) continue;  // the other kinds differ in one operator
    expect_equal("max", max(a, axis).to_vector<float>(), expected.largest);
    expect_equal("min", min(a, axis).to_vector<float>(), expected.smallest);
  }
}

struct RowFunctions {
  std::vector<double> softmax, log_softmax, cross_entropy;
  std::vector<std::int32_t> argmax;
};

RowFunctions functions_of(const std::vector<float>& x, const std::vector<std::int32_t>& labels, std::int64_t columns) {
  RowFunctions result;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const float* v = x.data() + row * static_cast<std::size_t>(columns);
    const std::int64_t largest = std::max_element(v, v + columns) - v;
    double total = 0;
    for (std::int64_t j = 0; j < columns; ++j) total += std::exp(static_cast<double>(v[j]) - v[largest]);
    for (std::int64_t j = 0; j < columns; ++j) {
      const double log_share = static_cast<double>(v[j]) - v[largest] - std::log(total);
      result.log_softmax.push_back(log_share);
      result.softmax.push_back(std::exp(log_share));
      if (j == labels[row]) result.cross_entropy.push_back(-log_share);
    }
    result.argmax.push_back(static_cast<std::int32_t>(largest));
  }
  return result;
}

}  // namespace

void check_reductions(const Device& device) {
  check_shape(device, 37, 1000);
  const std::vector<float> x = whole_numbers(200003, -3, 3, 4);  // more than one group takes
  double total = 0;
  for (const float value : x) total += value;
  expect_equal("sum of all", std::vector{sum(Array::from(x, {200003}, device)).item()},
               std::vector{static_cast<float>(total)});
}

void check_rows(const Device& device) {
  constexpr double tolerance = 1e-5;
  for (const std::int64_t columns : {10, 700}) {
    constexpr std::int64_t rows = 33;
    const std::vector<float> x = numbers(rows * columns, -4, 4, 5);
    std::vector<std::int32_t> labels;
    for (std::int32_t row = 0; row < rows; ++row) labels.push_back(row * 7 % static_cast<std::int32_t>(columns));
    const RowFunctions expected = functions_of(x, labels, columns);
    const Array a = Array::from(x, {rows, columns}, device);
    const Array l = Array::from(labels, {rows}, device);
    expect_close("softmax", softmax(a).to_vector<float>(), expected.softmax, tolerance);
    expect_equal("argmax", astype(argmax(a, -1), DType::int32).to_vector<std::int32_t>(), expected.argmax);
    if (columns > 10) continue;  // the same loop over columns as softmax has
    expect_close("log_softmax", log_softmax(a).to_vector<float>(), expected.log_softmax, tolerance);
    expect_close("cross_entropy", cross_entropy_rows(a, l).to_vector<float>(), expected.cross_entropy, tolerance);
  }
}

}  // namespace overtake::self_test
