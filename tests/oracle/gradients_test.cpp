// SPDX-License-Identifier: MIT
// Gradients of products with zeros, and backward() beside what was made under NoGrad.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/no_grad.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

using Floats = std::vector<float>;

class Gradients : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Gradients, ::testing::ValuesIn(list_devices()), device_name);

Floats gradient_of(const Floats& values, const Shape& shape, const Device& device, Array (*function)(const Array&)) {
  Array x = Array::from(values, shape, device);
  x.requires_grad();
  function(x).backward();
  return x.grad().to_vector<float>();
}

TEST_P(Gradients, OfProductsWithZeros) {
  const auto all = [](const Array& x) { return prod(x); };
  const Device on = device();
  EXPECT_EQ(gradient_of({2, 3, 4}, {3}, on, all), (Floats{12, 8, 6}));
  EXPECT_EQ(gradient_of({2, 0, 4}, {3}, on, all), (Floats{0, 8, 0}));
  EXPECT_EQ(gradient_of({0, 0, 4}, {3}, on, all), (Floats{0, 0, 0}));
  const auto columns = [](const Array& x) { return sum(prod(x, 0) * arange(1, 3, 1, DType::float32, x.device())); };
  EXPECT_EQ(gradient_of({2, 0, 3, 5, 4, 7}, {3, 2}, on, columns), (Floats{12, 70, 8, 0, 6, 0}));
}

TEST_P(Gradients, OfProductsInChunks) {
  Floats values(70001, 1.0F);
  values[3] = 2.0F;
  values[69000] = 0.0F;
  const Floats found = gradient_of(values, {70001}, device(), [](const Array& x) { return prod(x); });
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], i == 69000 ? 2.0F : 0.0F) << i;
}

TEST_P(Gradients, OfProductsTwice) {
  const Array x = Array::from({0.0F, 3.0F, 5.0F}, {3}, device());
  const Array inputs[] = {x};
  const Array first = gradients(prod(x), inputs)[0];
  const Array second = gradients(sum(first), inputs)[0];  // before the first is computed and forgets where it is from
  EXPECT_EQ(first.to_vector<float>(), (Floats{15, 0, 0}));
  EXPECT_EQ(second.to_vector<float>(), (Floats{8, 5, 3}));  // d(bc + ac + ab)
}

// Against the definition: x_k takes part in the product up to i >= k.
TEST_P(Gradients, OfRunningProductsWithZeros) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 20; ++trial) {
    Floats values(9), expected(9, 0.0F);
    for (float& value : values) value = static_cast<float>(random() % 4) - 1;
    for (std::size_t k = 0; k < 9; ++k) {
      for (std::size_t i = k; i < 9; ++i) {
        float product = static_cast<float>(i + 1);
        for (std::size_t j = 0; j <= i; ++j) product *= j == k ? 1.0F : values[j];
        expected[k] += product;
      }
    }
    const Floats found = gradient_of(values, {9}, device(), [](const Array& x) {
      return sum(cumulative_prod(x) * arange(1, 10, 1, DType::float32, x.device()));
    });
    for (std::size_t k = 0; k < 9; ++k) ASSERT_EQ(found[k], expected[k]) << trial << ", element " << k;
  }
}

TEST_P(Gradients, DoNotGoIntoWhatWasMadeUnderNoGrad) {
  Array x = Array::from({3.0F}, {1}, device());
  x.requires_grad();
  const Array apart = [&] {
    const NoGrad none;
    return square(x);
  }();
  sum(apart * x).backward();  // another way leads to x: not through the square
  EXPECT_EQ(x.grad().item(), 9.0F);
  const Array inputs[] = {x};
  EXPECT_EQ(gradients(sum(square(x) * x), inputs)[0].item(), 27.0F);  // asked for by name
}

}  // namespace
}  // namespace overtake::oracle
