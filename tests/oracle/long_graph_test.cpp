// SPDX-License-Identifier: MIT
// Graphs as long and as deep as loops make them, on every device: right values, no end of the stack, no fixed bound.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class LongGraphs : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, LongGraphs, ::testing::ValuesIn(list_devices()), device_name);

Array floats(const std::vector<float>& values, const Device& device) {
  return Array::from(values, Shape{static_cast<std::int64_t>(values.size())}, device);
}

TEST_P(LongGraphs, ChainsOfAdditions) {
  const Device device = OnEveryDevice::device();
  for (const int length : {1, 23, 24, 25, 95, 96, 97, 127, 128, 129, 258, 513, 20'000}) {
    const Array x = floats({1, 2, -3}, device);
    Array sum_so_far = x;
    for (int i = 0; i < length; ++i) sum_so_far = sum_so_far + x;
    const auto times = static_cast<float>(length + 1);
    EXPECT_EQ(sum_so_far.to_vector<float>(), (std::vector<float>{times, 2 * times, -3 * times})) << length;
  }
}

// Nothing of the chain is in memory, so that every node waits for its only user.
TEST_P(LongGraphs, ChainsOfConstants) {
  const Device device = OnEveryDevice::device();
  Array other = zeros(Shape{5}, device);
  for (int i = 0; i < 700; ++i) other = tanh(other) + 1.0F - 1.0F;
  EXPECT_EQ(sum(other + floats({1, 1, 1, 1, 1}, device)).item(), 5);
}

// A tree whose leaves are operands of their own: more than one operation may load.
TEST_P(LongGraphs, TreesOfManyOperands) {
  const Device device = OnEveryDevice::device();
  std::vector<Array> row;
  for (int i = 0; i < 600; ++i) row.push_back(floats({static_cast<float>(i), 1}, device) * 2.0F);
  while (row.size() > 1) {
    std::vector<Array> next;
    for (std::size_t i = 0; i + 1 < row.size(); i += 2) next.push_back(row[i] + row[i + 1]);
    if (row.size() % 2 == 1) next.push_back(row.back());
    row = std::move(next);
  }
  EXPECT_EQ(row.front().to_vector<float>(), (std::vector<float>{600 * 599, 1200}));
}

// Every value of a chain is wanted: more than one operation may store.
TEST_P(LongGraphs, EveryValueOfAChainIsKept) {
  const Device device = OnEveryDevice::device();
  std::vector<Array> all{floats({0, 1}, device)};
  for (int i = 0; i < 300; ++i) all.push_back(all.back() + 1.0F);
  eval(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].to_vector<float>(), (std::vector<float>{static_cast<float>(i), static_cast<float>(i + 1)}));
  }
}

TEST_P(LongGraphs, GradientsThroughADeepChain) {
  const Device device = OnEveryDevice::device();
  Array w = floats({0.5F, -0.25F}, device);
  w.requires_grad();
  Array x = w;
  for (int i = 0; i < 3'000; ++i) x = x * 1.0F + w;
  sum(x).backward();
  EXPECT_EQ(w.grad().to_vector<float>(), (std::vector<float>{3001, 3001}));
}

TEST_P(LongGraphs, ManyLargeReductionsOfOneChain) {
  const Device device = OnEveryDevice::device();
  const std::vector<float> values(300, 0.5F);
  Array x = floats(values, device);
  std::vector<Array> sums;
  for (int i = 0; i < 200; ++i) {
    x = x + 1.0F;
    sums.push_back(sum(x * x));
  }
  eval(sums);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float value = 1.5F + static_cast<float>(i);
    ASSERT_NEAR(sums[i].item(), 300 * value * value, 1e-5 * 300 * value * value) << i;
  }
}

// The loss of ten thousand steps: as many reductions, one gradient.
TEST_P(LongGraphs, ALossSummedOverTenThousandSteps) {
  const Device device = OnEveryDevice::device();
  constexpr int steps = 10'000;
  Array w = floats({2, 3, 4}, device);
  w.requires_grad();
  const Array x = floats({1, 0.5F, 0.25F}, device);
  Array loss = Array::from(std::vector<float>{0}, Shape{}, device);
  for (int i = 0; i < steps; ++i) loss = loss + mean(w * x) * 0.5F;
  loss.backward();
  const float each = (2 + 1.5F + 1) / 3 * 0.5F;
  EXPECT_NEAR(loss.item(), each * steps, 1e-3 * each * steps);
  const std::vector<float> gradient = w.grad().to_vector<float>();
  for (std::size_t i = 0; i < 3; ++i) {
    const double expected = steps * 0.5 / 3 * std::pow(0.5, static_cast<double>(i));
    EXPECT_NEAR(gradient[i], expected, 2e-3 * expected);
  }
}

TEST_P(LongGraphs, ViewsUponViews) {
  const Device device = OnEveryDevice::device();
  Array x = Array::from(std::vector<float>{1, 2, 3, 4, 5, 6}, Shape{2, 3}, device);
  for (int i = 0; i < 40'001; ++i) x = transpose(x);
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

}  // namespace
}  // namespace overtake::oracle
