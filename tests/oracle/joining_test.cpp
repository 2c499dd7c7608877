// SPDX-License-Identifier: MIT
// Arrays of several parts, regions and products of any shape: against plain loops, with gradients, on every device.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

using Ints = std::vector<std::int32_t>;
using Floats = std::vector<float>;

class Joining : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Joining, ::testing::ValuesIn(list_devices()), device_name);
class Products : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Products, ::testing::ValuesIn(list_devices()), device_name);

Array counted(const Shape& shape, const Device& device, std::int32_t from = 0) {
  return reshape(arange(shape.size(), DType::int32, device) + from, shape.to_vector());
}

Floats random_floats(std::int64_t count) {
  static std::mt19937 engine(std::random_device{}());
  std::uniform_real_distribution<float> uniform(-1, 1);
  Floats values(static_cast<std::size_t>(count));
  for (float& value : values) value = uniform(engine);
  return values;
}

TEST_P(Joining, ConcatAndStack) {
  const Device device = OnEveryDevice::device();
  const Array a = counted({2, 3}, device), b = counted({2, 2}, device, 10),
              none = zeros(Shape{2, 0}, DType::int32, device);
  EXPECT_EQ(concat({a, none, b}, 1).to_vector<std::int32_t>(), (Ints{0, 1, 2, 10, 11, 3, 4, 5, 12, 13}));
  EXPECT_EQ(concat({a, transpose(counted({3, 1}, device, 20))}, 0).to_vector<std::int32_t>(),
            (Ints{0, 1, 2, 3, 4, 5, 20, 21, 22}));
  EXPECT_EQ(concat({a, full(Shape{1, 3}, 7, DType::int8, device)}).to_vector<std::int32_t>(),
            (Ints{0, 1, 2, 3, 4, 5, 7, 7, 7}));
  EXPECT_EQ(stack({a, a + 1}, -1).to_vector<std::int32_t>(), (Ints{0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6}));
  EXPECT_EQ(unstack(a, 1)[2].to_vector<std::int32_t>(), (Ints{2, 5}));
  EXPECT_EQ(split(counted({6}, device), 3)[1].to_vector<std::int32_t>(), (Ints{2, 3}));
  EXPECT_EQ(split_at(counted({6}, device), {1, -1})[1].to_vector<std::int32_t>(), (Ints{1, 2, 3, 4}));
  EXPECT_THROW((void)concat({a, b}, 0), UsageError);
  EXPECT_THROW((void)concat({}), UsageError);
  EXPECT_THROW((void)split(a, 2, 1), UsageError);
  Array x = Array::from({1.0F, 2.0F}, {2}, device), y = Array::from({3.0F}, {1}, device);
  x.requires_grad();
  y.requires_grad();
  sum(square(concat({x, y, x}))).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (Floats{4, 8}));
  EXPECT_EQ(y.grad().to_vector<float>(), (Floats{6}));
}

TEST_P(Joining, ManyPartsOfManySizes) {
  const Device device = OnEveryDevice::device();
  std::vector<Array> parts;
  Ints expected;
  for (const std::int32_t length : {1, 3, 64, 257, 5000, 2}) {
    parts.push_back(counted({length}, device, length));
    for (std::int32_t i = 0; i < length; ++i) expected.push_back(length + i);
  }
  EXPECT_EQ(concat(parts).to_vector<std::int32_t>(), expected);
}

TEST_P(Joining, RepeatedRolledPadded) {
  const Device device = OnEveryDevice::device();
  const Array a = counted({2, 2}, device);
  EXPECT_EQ(tile(a, {2, 1, 2}).to_vector<std::int32_t>(), (Ints{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(repeat(a, 2, 1).to_vector<std::int32_t>(), (Ints{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(repeat(a, Array::from(Ints{2, 0, 1, 1}, {4}, device)).to_vector<std::int32_t>(), (Ints{0, 0, 2, 3}));
  EXPECT_EQ(roll(a, {1}).to_vector<std::int32_t>(), (Ints{3, 0, 1, 2}));
  EXPECT_EQ(roll(a, {1, -1}, std::vector<int>{0, 1}).to_vector<std::int32_t>(), (Ints{3, 2, 1, 0}));
  EXPECT_EQ(pad(a, {{1, 0}, {0, 1}}, 9).to_vector<std::int32_t>(), (Ints{9, 9, 9, 0, 1, 9, 2, 3, 9}));
  EXPECT_EQ(tril(a).to_vector<std::int32_t>(), (Ints{0, 0, 2, 3}));
  EXPECT_EQ(triu(a, 1).to_vector<std::int32_t>(), (Ints{0, 1, 0, 0}));
  const std::vector<Array> grid = meshgrid({counted({2}, device), counted({3}, device)});
  EXPECT_EQ(grid[0].to_vector<std::int32_t>(), (Ints{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(grid[1].to_vector<std::int32_t>(), (Ints{0, 0, 1, 1, 2, 2}));
}

TEST_P(Joining, RegionsAreAssigned) {
  const Device device = OnEveryDevice::device();
  const Array a = counted({3, 4}, device);
  EXPECT_EQ(assigned(a, {{1, 1, 1}}, 7).to_vector<std::int32_t>(), (Ints{0, 1, 2, 3, 7, 7, 7, 7, 8, 9, 10, 11}));
  EXPECT_EQ(assigned(a, {{2, 2, -2}, {0, 2, 3}}, counted({2, 2}, device, 50)).to_vector<std::int32_t>(),
            (Ints{52, 1, 2, 53, 4, 5, 6, 7, 50, 9, 10, 51}));
  EXPECT_EQ(assigned(a, {{0, 0, 1}}, 7).to_vector<std::int32_t>(), a.to_vector<std::int32_t>());
  EXPECT_THROW((void)assigned(a, {{0, 2, 1}}, zeros(Shape{5}, device)), UsageError);
}

void expect_product(const Array& got, const Floats& a, const Floats& b, std::int64_t batch, std::int64_t m,
                    std::int64_t k, std::int64_t n, bool same_right) {
  const Floats c = astype(got, DType::float32).to_vector<float>();
  for (std::int64_t i = 0; i < batch * m * n; ++i) {
    const std::int64_t which = i / (m * n), row = i / n % m, column = i % n;
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      sum += static_cast<double>(a[static_cast<std::size_t>((which * m + row) * k + j)]) *
             b[static_cast<std::size_t>((same_right ? 0 : which * k * n) + j * n + column)];
    }
    ASSERT_NEAR(c[static_cast<std::size_t>(i)], sum, 1e-4) << i;
  }
}

TEST_P(Products, OfBatches) {
  const Device device = OnEveryDevice::device();
  const Floats a = random_floats(3 * 4 * 5), b = random_floats(3 * 5 * 6);
  const Array x = Array::from(a, {3, 4, 5}, device), y = Array::from(b, {3, 5, 6}, device);
  expect_product(matmul(x, y), a, b, 3, 4, 5, 6, false);
  expect_product(matmul(x, slice(y, 0, 1)), a, b, 3, 4, 5, 6, true);
  expect_product(matmul(x, reshape(slice(y, 0, 1), {5, 6})), a, b, 3, 4, 5, 6, true);
  expect_product(einsum("bij,bjk->bik", {x, y}), a, b, 3, 4, 5, 6, false);
  expect_product(matrix_transpose(einsum("bij,bjk->bki", {x, y})), a, b, 3, 4, 5, 6, false);
  EXPECT_EQ(matmul(reshape(slice(x, 0, 1), {4, 5}), ones(Shape{5}, device)).shape(), (Shape{4}));
  EXPECT_EQ(matmul(ones(Shape{5}, device), ones(Shape{5}, device)).item(), 5);
  EXPECT_THROW((void)matmul(x, x), UsageError);
}

TEST_P(Products, OfOtherTypes) {
  const Device device = OnEveryDevice::device();
  const Array a = counted({2, 3}, device), b = counted({3, 2}, device);
  EXPECT_EQ(matmul(a, b).to_vector<std::int32_t>(), (Ints{10, 13, 28, 40}));
  EXPECT_EQ(vecdot(a, a).to_vector<std::int32_t>(), (Ints{5, 50}));
  EXPECT_EQ(outer(counted({2}, device), counted({2}, device, 1)).to_vector<std::int32_t>(), (Ints{0, 0, 1, 2}));
  EXPECT_EQ(dot(counted({3}, device), counted({3}, device)).item<int>(), 5);
  EXPECT_EQ(tensordot(a, b, 1).to_vector<std::int32_t>(), (Ints{10, 13, 28, 40}));
  EXPECT_EQ(tensordot(a, b, {0, 1}, {1, 0}).item<int>(), 0 * 0 + 1 * 2 + 2 * 4 + 3 * 1 + 4 * 3 + 5 * 5);
  EXPECT_EQ(matmul(astype(a, DType::float16), astype(b, DType::float16)).dtype(), DType::float16);
  if (device.info().double_precision) {
    EXPECT_EQ(matmul(astype(a, DType::float64) / 3, astype(b, DType::float64)).to_vector<double>()[0],
              0.0 / 3 * 0 + 1.0 / 3 * 2 + 2.0 / 3 * 4);
  }
}

TEST_P(Products, EinsumSumsAndRefuses) {
  const Device device = OnEveryDevice::device();
  const Array a = counted({2, 3}, device);
  EXPECT_EQ(einsum("ij->ji", {a}).to_vector<std::int32_t>(), (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(einsum("ij->", {a}).item<int>(), 15);
  EXPECT_EQ(einsum("ij,ij->i", {a, a}).to_vector<std::int32_t>(), (Ints{5, 50}));
  EXPECT_EQ(einsum("i,j", {counted({2}, device), counted({2}, device, 1)}).to_vector<std::int32_t>(),
            (Ints{0, 0, 1, 2}));
  for (const char* wrong : {"ij", "ij,jk->ik", "ii->i", "i->i", "ij->k", "i1->i"}) {
    EXPECT_THROW((void)einsum(wrong, {a, a, a}), UsageError) << wrong;
  }
  Array x = Array::from({1.0F, 2.0F}, {2}, device);
  x.requires_grad();
  einsum("i,i->", {x, x}).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (Floats{2, 4}));
}

}  // namespace
}  // namespace overtake::oracle
