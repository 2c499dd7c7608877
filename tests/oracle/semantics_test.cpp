// SPDX-License-Identifier: MIT
// What a table of smooth functions cannot show: special values, integers, random numbers, in-place plans, errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "core/philox.hpp"
#include "graph/compiled_step.hpp"
#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan_value = std::numeric_limits<float>::quiet_NaN();

Array floats(const std::vector<float>& values, const Device& device) {
  return Array::from(values, Shape{static_cast<std::int64_t>(values.size())}, device);
}

Array ints(const std::vector<std::int32_t>& values, const Device& device) {
  return Array::from(values, Shape{static_cast<std::int64_t>(values.size())}, device);
}

void expect_same(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << "element " << i << " is " << got[i];
    } else {
      EXPECT_EQ(got[i], expected[i]) << "element " << i;
    }
  }
}

class Semantics : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Semantics, ::testing::ValuesIn(list_devices()), device_name);

TEST_P(Semantics, SpecialValuesFollowIeee) {
  const Device device = OnEveryDevice::device();
  const Array x = floats({nan_value, inf, -inf, 0.0F, -1.0F}, device);
  expect_same(relu(x).to_vector<float>(), {nan_value, inf, 0, 0, 0});
  expect_same(exp(slice(x, 0, 4)).to_vector<float>(), {nan_value, inf, 0, 1});
  const std::vector<float> t = tanh(x).to_vector<float>();
  EXPECT_TRUE(std::isnan(t[0]));
  EXPECT_NEAR(t[1], 1, 1e-6);
  EXPECT_NEAR(t[2], -1, 1e-6);
  EXPECT_EQ(t[3], 0);
  expect_same(maximum(x, 0.0F).to_vector<float>(), {nan_value, inf, 0, 0, 0});
  expect_same(minimum(0.0F, x).to_vector<float>(), {nan_value, 0, -inf, 0, -1});
  EXPECT_EQ((x < 0.0F).to_vector<bool>(), (std::vector<bool>{false, false, true, false, true}));
  EXPECT_EQ((x != x).to_vector<bool>(), (std::vector<bool>{true, false, false, false, false}));
  EXPECT_TRUE(std::isnan(log(x).to_vector<float>()[4]));
  EXPECT_EQ(log(x).to_vector<float>()[3], -inf);
  EXPECT_TRUE(std::isnan(sum(x).item()));
  EXPECT_TRUE(std::isnan(max(x).item()));
  EXPECT_TRUE(std::isnan(min(x).item()));
  EXPECT_EQ(argmax(x).item(), 0);
}

TEST_P(Semantics, SignsOfZero) {
  const Device device = OnEveryDevice::device();
  const Array x = floats({0.0F, -0.0F}, device);
  const Array y = floats({-0.0F, 0.0F}, device);
  const auto negative_zeros = [](const Array& a) {
    std::vector<bool> result;
    for (const float value : a.to_vector<float>()) {
      EXPECT_EQ(value, 0);
      result.push_back(std::signbit(value));
    }
    return result;
  };
  const std::vector<bool> none{false, false}, second{false, true}, both{true, true};
  EXPECT_EQ(negative_zeros(sign(x)), none);
  EXPECT_EQ(negative_zeros(relu(x)), none);
  EXPECT_EQ(negative_zeros(abs(x)), none);
  for (const Array& odd : {gelu(x), silu(x), leaky_relu(x, 0.1F), tanh(x), erf(x), sin(x), sqrt(x), log1p(x)}) {
    EXPECT_EQ(negative_zeros(odd), second);
  }
  EXPECT_EQ(negative_zeros(maximum(x, y)), none);
  EXPECT_EQ(negative_zeros(maximum(y, x)), none);
  EXPECT_EQ(negative_zeros(minimum(x, y)), both);
  EXPECT_EQ(negative_zeros(minimum(y, x)), both);
  EXPECT_FALSE(std::signbit(max(x).item()));
  EXPECT_FALSE(std::signbit(max(y).item()));
  EXPECT_TRUE(std::signbit(min(x).item()));
  EXPECT_TRUE(std::signbit(min(y).item()));
}

TEST_P(Semantics, FloatToIntegerIsDefinedEverywhere) {
  const Device device = OnEveryDevice::device();
  constexpr std::int32_t low = std::numeric_limits<std::int32_t>::min(),
                         high = std::numeric_limits<std::int32_t>::max();
  const Array x = floats(
      {nan_value, inf, -inf, 3e38F, -3e38F, 2147483648.0F, 2147483520.0F, -2147483648.0F, 1.99F, -1.99F, -0.0F, 1e-45F},
      device);
  EXPECT_EQ(astype(x, DType::int32).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, high, low, high, low, high, 2147483520, low, 1, -1, 0, 0}));
}

TEST_P(Semantics, GradientOfPowerAtZero) {
  const Device device = OnEveryDevice::device();
  const auto slopes = [&](const std::vector<float>& bases, const std::vector<float>& exponents) {
    const std::vector<Array> inputs{floats(bases, device), floats(exponents, device)};
    return gradients(sum(power(inputs[0], inputs[1])), inputs);
  };
  // By the base, then by the exponent: what PyTorch gives.
  const std::vector<Array> got = slopes({0, 0, 0, -2, 3, 0}, {0, 1, 2, 0, 0, -1});
  expect_same(got[0].to_vector<float>(), {0, 1, 0, 0, 0, -inf});
  expect_same(slice(got[1], 0, 3).to_vector<float>(), {0, 0, 0});
  EXPECT_NEAR(slice(got[1], 4, 5).item(), std::log(3.0F), 1e-6);
  EXPECT_EQ(slice(got[1], 5, 6).item(), -inf);
  Array q = floats({0, 1, -1}, device);
  q.requires_grad();
  sum(power(q, 0.0F)).backward();
  expect_same(q.grad().to_vector<float>(), {0, 0, 0});
  q.set_grad(Array());
}

TEST_P(Semantics, ExtremeArgumentsOfSigmoidAndExp) {
  const Device device = OnEveryDevice::device();
  const Array x = floats({-200, -95, 95, 200, 88.6F, 88.72F}, device);
  const std::vector<float> s = sigmoid(x).to_vector<float>();
  EXPECT_EQ(s[0], 0);
  EXPECT_GE(s[1], 0);
  EXPECT_LT(s[1], 1e-37F);
  EXPECT_EQ(s[2], 1);
  EXPECT_EQ(s[3], 1);
  const std::vector<float> e = exp(x).to_vector<float>();
  EXPECT_EQ(e[3], inf);
  EXPECT_NEAR(e[4] / std::exp(88.6), 1, 1e-5);
  EXPECT_NEAR(e[5] / std::exp(88.72), 1, 2e-5);
}

TEST_P(Semantics, ArgmaxTakesTheFirstOfTies) {
  const Device device = OnEveryDevice::device();
  const Array x = Array::from(std::vector<float>{1, 3, 3, 0, 0, 0, -1, -5, -1}, Shape{3, 3}, device);
  EXPECT_EQ(argmax(x, -1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 0}));
  EXPECT_EQ(argmax(x, 0).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(argmax(x).item<int>(), 1);
  EXPECT_EQ(argmin(x).item<int>(), 7);
}

TEST_P(Semantics, LabelsAndIndicesOutOfRangeGiveNaN) {
  const Device device = OnEveryDevice::device();
  const Array logits = zeros(Shape{3, 2}, device);
  const std::vector<float> losses = cross_entropy_rows(logits, ints({0, 2, -1}, device)).to_vector<float>();
  EXPECT_NEAR(losses[0], std::log(2.0), 1e-6);
  EXPECT_TRUE(std::isnan(losses[1]));
  EXPECT_TRUE(std::isnan(losses[2]));
  if (device.id() == "cpu") return;  // refused there: Indexing.ArraysOfPlacesAreCheckedOnTheCpu
  expect_same(take(floats({5, 6}, device), ints({1, 2, -1, -3, 0}, device)).to_vector<float>(),
              {6, nan_value, 6, nan_value, 5});
  const Array rows = take(ints({5, 6}, device), ints({7}, device));
  EXPECT_EQ(rows.to_vector<std::int32_t>()[0], std::numeric_limits<std::int32_t>::min());
}

TEST_P(Semantics, TakeBatchWalksThroughTheIndices) {
  const Device device = OnEveryDevice::device();
  const Array source = Array::from(std::vector<float>{0, 1, 10, 11, 20, 21, 30, 31}, Shape{4, 2}, device);
  const Array order = ints({3, 1, 2, 0}, device);
  expect_same(take_batch(source, order, ints({1}, device), 2).to_vector<float>(), {20, 21, 0, 1});
}

TEST_P(Semantics, UniformIsPhilox) {
  const Device device = OnEveryDevice::device();
  const std::vector<float> got = uniform(Shape{41, 3}, 0x123456789ABCDEFULL, 7, ints({5}, device)).to_vector<float>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], philox::uniform(0x123456789ABCDEFULL, 7, 5, i)) << "element " << i;
  }
}

// The canonical order of backend/api/operation.hpp, written out.
float canonical_sum(std::vector<float> values, std::size_t lanes) {
  const std::size_t chunk = lanes == 8 ? 1024 : 65536;
  if (values.size() > chunk) {
    std::vector<float> sums;
    for (std::size_t at = 0; at < values.size(); at += chunk) {
      const std::size_t end = std::min(values.size(), at + chunk);
      sums.push_back(canonical_sum(
          {values.begin() + static_cast<std::ptrdiff_t>(at), values.begin() + static_cast<std::ptrdiff_t>(end)},
          lanes));
    }
    return canonical_sum(std::move(sums), lanes);
  }
  std::vector<float> partial(lanes, 0.0F);
  for (std::size_t i = 0; i < values.size(); ++i) partial[i % lanes] += values[i];
  for (std::size_t width = lanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) partial[lane] += partial[lane + width];
  }
  return partial[0];
}

TEST_P(Semantics, SumsHaveTheCanonicalBits) {
  const Device device = OnEveryDevice::device();
  std::mt19937 engine(std::random_device{}());
  std::normal_distribution<float> normal(0, 100);
  for (const std::int64_t n : {1, 2, 100, 255, 256, 257, 1000, 70001}) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& value : values) value = normal(engine);
    ASSERT_EQ(sum(floats(values, device)).item(), canonical_sum(values, 256)) << n << " elements";
    std::vector<float> column;
    for (std::size_t i = 0; i < values.size() / 3 * 3; i += 3) column.push_back(values[i + 1]);
    if (column.empty()) continue;
    const auto rows = static_cast<std::int64_t>(column.size());
    values.resize(static_cast<std::size_t>(rows) * 3);
    const Array table = Array::from(values, Shape{rows, 3}, device);
    ASSERT_EQ(sum(table, 0).to_vector<float>()[1], canonical_sum(column, 8)) << rows << " rows";
  }
}

TEST_P(Semantics, EmptyArraysWork) {
  const Device device = OnEveryDevice::device();
  const Array none = Array::from(std::vector<float>{}, Shape{0, 3}, device);
  EXPECT_TRUE((none + 1.0F).to_vector<float>().empty());
  EXPECT_EQ(sum(none).item(), 0);
  expect_same(sum(none, 0).to_vector<float>(), {0, 0, 0});
  expect_same(matmul(zeros(Shape{2, 0}, device), zeros(Shape{0, 2}, device)).to_vector<float>(), {0, 0, 0, 0});
  EXPECT_THROW((void)max(none), UsageError);
  EXPECT_TRUE(std::isnan(mean(none).item()));
}

TEST_P(Semantics, ConstantsFeedEveryKindOfOperation) {
  const Device device = OnEveryDevice::device();
  const Array one = ones(Shape{2, 3}, device);
  expect_same(matmul(one, transpose(one)).to_vector<float>(), {3, 3, 3, 3});
  EXPECT_EQ(sum(one).item(), 6);
  expect_same(softmax(zeros(Shape{1, 4}, device)).to_vector<float>(), {0.25F, 0.25F, 0.25F, 0.25F});
  expect_same(take(one, ints({1}, device)).to_vector<float>(), {1, 1, 1});
}

class CompiledSteps : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, CompiledSteps, ::testing::ValuesIn(list_devices()), device_name);

TEST_P(CompiledSteps, UpdatesStateInPlaceAndInOrder) {
  const Device device = OnEveryDevice::device();
  Array a = floats({1, 2, 3}, device), b = floats({10, 20, 30}, device), c = ints({0}, device);
  const Array one = ints({1}, device);
  std::vector<Array*> state{&a, &b, &c};
  graph::CompiledStep step(state, [&]() -> std::vector<Array> {
    const Array old = a;
    a = a + b;  // read below: b must see the old a
    b = old * 2.0F;
    c = c + one;
    return {a - 1.0F};
  });
  float x = 1, y = 10;
  for (int i = 0; i < 3; ++i) {
    const float next = x + y;
    y = 2 * x;
    x = next;
  }
  step.run(3);
  EXPECT_EQ(a.to_vector<float>()[0], x);
  EXPECT_EQ(b.to_vector<float>()[0], y);
  EXPECT_EQ(c.item(), 3);
  EXPECT_EQ(step.outputs()[0].to_vector<float>()[0], x - 1);
}

TEST_P(CompiledSteps, SwapsTwoStates) {
  const Device device = OnEveryDevice::device();
  Array a = floats(std::vector<float>(1000, 1.0F), device), b = floats(std::vector<float>(1000, 2.0F), device);
  std::vector<Array*> state{&a, &b};
  graph::CompiledStep step(state, [&]() -> std::vector<Array> {
    std::swap(a, b);
    return {};
  });
  step.run(3);
  EXPECT_EQ(a.to_vector<float>()[999], 2);
  EXPECT_EQ(b.to_vector<float>()[0], 1);
}

TEST_P(CompiledSteps, ProductReadsTheOldWeightsWhenTheUpdateComesFirst) {
  const Device device = OnEveryDevice::device();
  Array w = Array::from(std::vector<float>{1, 0, 0, 1}, Shape{2, 2}, device);
  const Array x = Array::from(std::vector<float>{1, 2, 3, 4}, Shape{2, 2}, device);
  std::vector<Array*> state{&w};
  graph::CompiledStep step(state, [&]() -> std::vector<Array> {
    const Array old = w;
    w = old + 1.0F;
    return {matmul(x, old)};
  });
  step.run(1);
  expect_same(step.outputs()[0].to_vector<float>(), {1, 2, 3, 4});
  expect_same(w.to_vector<float>(), {2, 1, 1, 2});
}

TEST(Gradients, AccumulateAndClear) {
  Array x = floats({1, 2}, Device());
  x.requires_grad();
  sum(square(x)).backward();
  sum(square(x)).backward();
  expect_same(x.grad().to_vector<float>(), {4, 8});
  x.set_grad(Array());
  EXPECT_FALSE(x.grad().defined());
}

TEST(Gradients, SecondDerivative) {
  const Array x = floats({0.5F, -1.5F}, Device());
  const std::vector<Array> inputs{x};
  const Array first = gradients(sum(x * x * x), inputs)[0];
  const Array second = gradients(sum(first), inputs)[0];
  expect_same(second.to_vector<float>(), {3, -9});
}

TEST(Gradients, DetachStopsThem) {
  Array x = floats({3}, Device());
  x.requires_grad();
  sum(x * square(x).detach()).backward();
  EXPECT_EQ(x.grad().item(), 9);
}

TEST(Errors, NameTheFunctionAndTheShapes) {
  const Array a = zeros(Shape{2, 3}), b = zeros(Shape{4, 5});
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { (void)add(a, b); }), "[add] shapes (2, 3) and (4, 5) do not broadcast");
  EXPECT_EQ(message([&] { (void)matmul(a, b); }), "[matmul] (2, 3) x (4, 5): expected (m, k) x (k, n)");
  EXPECT_EQ(message([&] { (void)reshape(a, {4, -1, -1}); }), "[reshape] at most one extent may be -1");
  EXPECT_EQ(message([&] { (void)sum(a, 2); }), "[sum] axis 2 of an array of shape (2, 3)");
  EXPECT_EQ(message([&] { (void)softmax(arange(3)); }), "[softmax] expects a floating type, got int64");
  EXPECT_EQ(message([&] { (void)(a & b); }), "[bitwise_and] expects whole numbers or bool, got float32");
  EXPECT_EQ(message([&] { (void)(ones(Shape{2}, DType::uint64) + ones(Shape{2}, DType::int64)); }),
            "[add] uint64 and int64 have no common type");
  EXPECT_EQ(message([&] { (void)a.item(); }), "[item] needs one element, got shape (2, 3)");
  EXPECT_EQ(message([&] { a.backward(); }), "[backward] needs one element, got shape (2, 3)");
  EXPECT_EQ(message([&] { (void)Array::from(std::vector<float>{1}, Shape{2}); }),
            "[from] 1 values for shape (2,) of 2 elements");
  EXPECT_EQ(message([&] {
              (void)add(a, zeros(Shape{2, 3}, Device("null")));
            }),
            "[add] one operand is on cpu, another on null");
  EXPECT_EQ(message([&] { (void)Device("tpu"); }), "unknown device 'tpu'");
}

}  // namespace
}  // namespace overtake::oracle
