// SPDX-License-Identifier: MIT
// Gradients of products with zeros, and backward() beside what was made under NoGrad.
#include <gtest/gtest.h>

#include <algorithm>
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

// Pooled images (n, c, h, w) flattened are in another order than pooling has them in memory; whoever asks for them,
// too, or for the gradient by them, gets what he would without that.
TEST_P(Gradients, GoThroughFlattenedPools) {
  constexpr std::int64_t n = 3, c = 5, h = 4, w = 6, p = h / 2, q = w / 2;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Floats values(n * c * h * w), weights(n * c * p * q);
  for (Floats* each : {&values, &weights}) {
    for (float& value : *each) value = uniform(random);
  }
  Floats pooled(weights.size()), by_values(values.size(), 0.0F);
  for (std::int64_t at = 0; at < n * c * p * q; ++at) {
    const std::int64_t corner = (at / (p * q) * h + at / q % p * 2) * w + at % q * 2;
    std::int64_t best = corner;
    for (const std::int64_t place : {corner + 1, corner + w, corner + w + 1}) {
      if (values[static_cast<std::size_t>(place)] > values[static_cast<std::size_t>(best)]) best = place;
    }
    pooled[static_cast<std::size_t>(at)] = values[static_cast<std::size_t>(best)];
    by_values[static_cast<std::size_t>(best)] = weights[static_cast<std::size_t>(at)];
  }
  const PoolOptions halves{.window = {2, 2}};
  const Array factors = Array::from(weights, {n, c * p * q}, device());
  Array x = Array::from(values, {n, c, h, w}, device());
  x.requires_grad();
  sum(reshape(max_pool2d(x, halves), {n, -1}) * factors).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), by_values);
  EXPECT_EQ(relu(reshape(max_pool2d(x, halves), {n, -1}) - 2.0F).to_vector<float>(), Floats(pooled.size(), 0.0F));
  EXPECT_EQ(reshape(max_pool2d(x, halves), {n, -1}).to_vector<float>(), pooled);
  Array windows = max_pool2d(x, halves);
  windows.requires_grad();
  const Array inputs[] = {windows};
  const Array by_windows = gradients(sum(reshape(windows, {n, -1}) * factors), inputs)[0];
  EXPECT_EQ(by_windows.to_vector<float>(), weights);
  EXPECT_EQ(windows.to_vector<float>(), pooled);
}

// The bias of a convolution before relu and pooling: large images, whose gradient is added up as pooling writes it.
TEST_P(Gradients, OfBiasesBeforePools) {
  constexpr std::int64_t n = 2, c = 64, h = 256, w = 130, p = h / 2, q = w / 2;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Floats values(n * h * w), filters(c), biases(c), weights(n * c * p * q);
  for (Floats* each : {&values, &filters, &biases, &weights}) {
    for (float& value : *each) value = uniform(random);
  }
  for (float& weight : weights) weight += 2.0F;
  const Array images = Array::from(values, {n, 1, h, w}, device());
  Array bias = Array::from(biases, {c}, device());
  bias.requires_grad();
  const Array seen = relu(conv2d(images, Array::from(filters, {c, 1, 1, 1}, device())) + reshape(bias, {c, 1, 1}));
  sum(max_pool2d(seen, {.window = {2, 2}}) * Array::from(weights, {n, c, p, q}, device())).backward();
  const Floats given = bias.grad().to_vector<float>();
  for (std::int64_t channel = 0; channel < c; ++channel) {
    double expected = 0, magnitude = 0;
    for (std::int64_t at = 0; at < n * p * q; ++at) {
      const std::int64_t corner = (at / q * 2) * w + at % q * 2;
      double largest = -1e9;
      for (const std::int64_t place : {corner, corner + 1, corner + w, corner + w + 1}) {
        const double product =
            double{values[static_cast<std::size_t>(place)]} * filters[static_cast<std::size_t>(channel)];
        largest = std::max(largest, product + biases[static_cast<std::size_t>(channel)]);
      }
      const std::int64_t window = (at / (p * q) * c + channel) * p * q + at % (p * q);
      magnitude += weights[static_cast<std::size_t>(window)];
      if (largest > 0) expected += weights[static_cast<std::size_t>(window)];
    }
    EXPECT_NEAR(given[static_cast<std::size_t>(channel)], expected, 3e-5 * magnitude) << "channel " << channel;
  }
}

}  // namespace
}  // namespace overtake::oracle
