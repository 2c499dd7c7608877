// SPDX-License-Identifier: MIT
// Matrix products of whole numbers, which are exact whatever their tiling is.
#include "overtake/ops.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

struct Sizes {
  std::int64_t m, k, n;
};

std::size_t at(std::int64_t row, std::int64_t columns, std::int64_t column) {
  return static_cast<std::size_t>(row * columns + column);
}

std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, const Sizes& sizes) {
  std::vector<float> c(static_cast<std::size_t>(sizes.m * sizes.n));
  for (std::int64_t i = 0; i < sizes.m; ++i) {
    for (std::int64_t p = 0; p < sizes.k; ++p) {
      for (std::int64_t j = 0; j < sizes.n; ++j) c[at(i, sizes.n, j)] += a[at(i, sizes.k, p)] * b[at(p, sizes.n, j)];
    }
  }
  return c;
}

std::vector<float> transposed(const std::vector<float>& a, std::int64_t rows, std::int64_t columns) {
  std::vector<float> result(a.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) result[at(j, rows, i)] = a[at(i, columns, j)];
  }
  return result;
}

}  // namespace

void check_products(const Device& device) {
  // One for each way of tiling: tiny, tall, wide, long sums, and sizes that fill no tile.
  for (const Sizes sizes : {Sizes{3, 5, 7}, {64, 64, 64}, {1000, 4, 2}, {2, 900, 3}, {130, 67, 201}}) {
    const std::vector<float> a = whole_numbers(sizes.m * sizes.k, -4, 4, 6);
    const std::vector<float> b = whole_numbers(sizes.k * sizes.n, -4, 4, 7);
    const Array left = Array::from(a, {sizes.m, sizes.k}, device);
    const Array right = Array::from(b, {sizes.k, sizes.n}, device);
    expect_equal("a product", matmul(left, right).to_vector<float>(), product(a, b, sizes));
  }
  constexpr Sizes sizes{40, 33, 50};
  const std::vector<float> a = whole_numbers(sizes.k * sizes.m, -4, 4, 8);
  const std::vector<float> b = whole_numbers(sizes.n * sizes.k, -4, 4, 9);
  const Array left = transpose(Array::from(a, {sizes.k, sizes.m}, device));
  const Array right = transpose(Array::from(b, {sizes.n, sizes.k}, device));
  expect_equal("a product of transposed matrices", matmul(left, right).to_vector<float>(),
               product(transposed(a, sizes.k, sizes.m), transposed(b, sizes.n, sizes.k), sizes));
}

}  // namespace overtake::self_test
