// SPDX-License-Identifier: MIT
// Products and convolutions under a PrecisionScope: operands are rounded alike, and nothing else is.
#include "overtake/precision.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class PrecisionScopes : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, PrecisionScopes, ::testing::ValuesIn(list_devices()), device_name);

// Numbers whose last bits bfloat16 does not hold.
Array operand(const Shape& shape, const Device& device) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.size(); ++i) values.push_back(1 + std::sin(static_cast<float>(3 * i + 1)) / 3);
  return Array::from(values, shape, device);
}

Array rounded(const Array& a) { return astype(astype(a, DType::bfloat16), DType::float32); }

void expect_close(const Array& found, const Array& expected, const char* what) {
  const std::vector<float> left = found.to_vector<float>(), right = expected.to_vector<float>();
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) EXPECT_NEAR(left[i], right[i], 2e-6 * std::abs(right[i])) << what;
}

TEST_P(PrecisionScopes, FunctionsRoundTheirOperandsAlike) {
  const Array a = operand({8, 24}, device()), b = operand({24, 16}, device());
  const Array exact = matmul(a, b), expected = matmul(rounded(a), rounded(b));
  const auto filters = [&] { return reshape(transpose(b), {16, 24, 1, 1}); };
  {
    const PrecisionScope precision(Precision::bf16);
    const Array product = matmul(a, b);
    EXPECT_EQ(product.dtype(), DType::float32);
    expect_close(product, expected, "matmul");
    expect_close(matmul(reshape(a, {2, 4, 24}), b), expected, "batches");
    expect_close(conv2d(reshape(a, {8, 24, 1, 1}), filters()), expected, "conv2d");
    EXPECT_EQ(matmul(astype(a, DType::int32), astype(b, DType::int32)).dtype(), DType::int32);
  }
  EXPECT_GT(std::abs(sum(exact - expected).item()), 1e-3);  // rounding is seen
  expect_close(matmul(a, b), exact, "after the scope");
}

TEST_P(PrecisionScopes, GradientsAreOfThePrecisionOfTheirProduct) {
  Array a = operand({8, 24}, device()), b = operand({24, 16}, device());
  Array filters = reshape(transpose(b), {16, 24, 1, 1}).detach();
  a.requires_grad(), b.requires_grad(), filters.requires_grad();
  const Array cotangent = operand({8, 16}, device());
  const Array left = matmul(rounded(cotangent), transpose(rounded(b))).detach();
  const Array right = matmul(transpose(rounded(a)), rounded(cotangent)).detach();
  const PrecisionScope precision(Precision::bf16);
  const Array product = matmul(a, b), convolved = conv2d(reshape(a, {8, 24, 1, 1}), filters);
  const std::vector<Array> found = gradients(sum(product * cotangent), std::vector<Array>{a, b});
  expect_close(found[0], left, "by the left");
  expect_close(found[1], right, "by the right");
  const Array of_images = sum(reshape(convolved, {8, 16}) * cotangent);
  const std::vector<Array> others = gradients(of_images, std::vector<Array>{a, filters});
  expect_close(others[0], left, "by images");
  expect_close(reshape(others[1], {16, 24}), rounded(transpose(right)), "by filters");
}

TEST_P(PrecisionScopes, PoolingRoundsNothing) {
  const Array images = operand({2, 3, 5, 7}, device());
  const Array expected = adaptive_avg_pool2d(images, 3, 2);
  const PrecisionScope precision(Precision::bf16);
  EXPECT_EQ(adaptive_avg_pool2d(images, 3, 2).to_vector<float>(), expected.to_vector<float>());
}

}  // namespace
}  // namespace overtake::oracle
