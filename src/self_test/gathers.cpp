// SPDX-License-Identifier: MIT
// Rows by number, and random numbers, which are the same bits everywhere.
#include "core/philox.hpp"
#include "overtake/ops.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {

void check_gathers(const Device& device) {
  constexpr std::int32_t rows = 100, columns = 7, count = 30;
  const std::vector<float> x = numbers(rows * columns, -1, 1, 21);
  std::vector<std::int32_t> indices;
  for (std::int32_t i = 0; i < 2 * count; ++i) indices.push_back(i * 37 % rows);
  const auto rows_from = [&](std::int32_t first, std::int32_t how_many) {
    std::vector<float> expected;
    for (std::int32_t i = first; i < first + how_many; ++i) {
      for (std::int32_t j = 0; j < columns; ++j) {
        expected.push_back(x[static_cast<std::size_t>(indices[static_cast<std::size_t>(i)] * columns + j)]);
      }
    }
    return expected;
  };
  const Array source = Array::from(x, {rows, columns}, device);
  const Array which = Array::from(indices, {2 * count}, device);
  const Array start = Array::from(std::vector<std::int32_t>{1}, {1}, device);
  expect_equal("rows", take(source, which).to_vector<float>(), rows_from(0, 2 * count));
  expect_equal("a batch", take_batch(source, which, start, count).to_vector<float>(), rows_from(count, count));
}

void check_random_numbers(const Device& device) {
  constexpr std::int64_t count = 1003;
  constexpr std::uint64_t seed = 0x1234567890abcdefULL;
  constexpr std::uint32_t stream = 3, counter = 5;
  std::vector<float> expected(static_cast<std::size_t>(count));
  philox::fill_uniform(expected, seed, stream, counter);
  const Array draw = Array::from(std::vector<std::int32_t>{static_cast<std::int32_t>(counter)}, {1}, device);
  expect_equal("uniform numbers", uniform({count}, seed, stream, draw).to_vector<float>(), expected);
}

}  // namespace overtake::self_test
