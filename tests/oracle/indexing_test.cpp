// SPDX-License-Identifier: MIT
// a[{...}], assigned_at, places outside, random numbers and text, on every device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <sstream>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"
#include "overtake/print.hpp"
#include "overtake/random.hpp"

namespace overtake::oracle {
namespace {

using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

class Indexing : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Indexing, ::testing::ValuesIn(list_devices()), device_name);
class Random : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Random, ::testing::ValuesIn(list_devices()), device_name);
class Printing : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Printing, ::testing::ValuesIn(list_devices()), device_name);

Array counted(const Shape& shape, const Device& device) {
  return reshape(arange(shape.size(), DType::int64, device), shape.to_vector());
}

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST_P(Indexing, PlacesSlicesEllipsisAndNewAxes) {
  const Array a = counted({3, 4, 5}, device());
  EXPECT_EQ((a[{1, 2, -1}].item<std::int64_t>()), 34);
  EXPECT_EQ(a[-1].shape(), Shape({4, 5}));
  EXPECT_EQ(a[Slice(1, {})].shape(), Shape({2, 4, 5}));
  EXPECT_EQ((a[{0, Slice(1, -1, 2), Slice({}, {}, -2)}].to_vector<std::int64_t>()), (Ints{9, 7, 5}));
  EXPECT_EQ((a[{0, Slice(3, {}, -2), 0}].to_vector<std::int64_t>()), (Ints{15, 5}));
  EXPECT_EQ((a[{ellipsis, 0}].shape()), Shape({3, 4}));
  EXPECT_EQ((a[{newaxis, 0, ellipsis, newaxis, Slice(1, 3)}].shape()), Shape({1, 4, 1, 2}));
  EXPECT_EQ((a[{0, 1, 2, ellipsis}].shape()), Shape());
  EXPECT_EQ(a[{}].shape(), a.shape());
  EXPECT_EQ((a[{Slice(5, {}), ellipsis}].shape()), Shape({0, 4, 5}));
  EXPECT_EQ(indexed(a, {Index(2), Slice(), 0}).to_vector<std::int64_t>(), (Ints{40, 45, 50, 55}));
}

TEST_P(Indexing, WhatIsOutsideIsRefusedAtOnce) {
  const Array a = counted({3, 4}, device());
  EXPECT_THAT(refusal([&] { (void)a[3]; }), ::testing::HasSubstr("index 3 is outside of axis 0"));
  EXPECT_THAT(refusal([&] { (void)a[{0, -5}]; }), ::testing::HasSubstr("(3, 4)"));
  EXPECT_THROW((void)(a[{0, 0, 0}]), UsageError);
  EXPECT_THROW((void)(a[{ellipsis, ellipsis}]), UsageError);
  EXPECT_THROW((void)(a[Slice(0, 2, 0)]), UsageError);
  EXPECT_THROW((void)Array()[0], UsageError);
  EXPECT_THROW((void)take(a, Array(3)), UsageError);  // the program's own numbers are known on every device
  EXPECT_THROW((void)take(a, full(Shape{2}, -4, device())), UsageError);
}

TEST_P(Indexing, ArraysOfPlacesAreCheckedOnTheCpu) {
  const Array a = counted({3, 4}, device());
  const Array inside = Array::from(Ints{2, -3}, Shape{2}, device());
  const Array outside = Array::from(Ints{0, 3}, Shape{2}, device());
  EXPECT_EQ((take(a, inside)[{Slice(), 0}].to_vector<std::int64_t>()), (Ints{8, 0}));
  if (device().id() == "cpu") {
    EXPECT_THROW((void)take(a, outside), UsageError);
    EXPECT_THROW((void)take(a, outside + 1), UsageError);  // computed for it
    EXPECT_THROW((void)take_along_axis(a, astype(reshape(outside, {2, 1}), DType::int8), 0), UsageError);
    EXPECT_THROW((void)index_add(a, 0, outside, 1), UsageError);
    EXPECT_THROW((void)index_put(a, 1, Array::from({std::uint64_t{1} << 63U}, Shape{1}, device()), 1), UsageError);
    return;
  }
  EXPECT_EQ((index_put(a, 0, outside, 7)[{Slice(), 0}].to_vector<std::int64_t>()), (Ints{7, 4, 8}));
  ASSERT_EQ(setenv("OVERTAKE_CHECK_INDICES", "yes", 1), 0);
  EXPECT_THROW((void)take(a, outside), UsageError);
  unsetenv("OVERTAKE_CHECK_INDICES");
}

TEST_P(Indexing, PartsAreReplaced) {
  const Array a = counted({3, 4}, device());
  const Array b = assigned_at(a, {0, Slice(1, -1)}, -5);
  EXPECT_EQ(b.to_vector<std::int64_t>(), (Ints{0, -5, -5, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(a.to_vector<std::int64_t>()[1], 1);
  EXPECT_EQ(assigned_at(a, {ellipsis, -1}, counted({3}, device())).to_vector<std::int64_t>(),
            (Ints{0, 1, 2, 0, 4, 5, 6, 1, 8, 9, 10, 2}));
  EXPECT_EQ(assigned_at(counted({4}, device()), {Slice({}, {}, -1)}, counted({4}, device())).to_vector<std::int64_t>(),
            (Ints{3, 2, 1, 0}));
  EXPECT_EQ(assigned_at(a, {newaxis, 1}, counted({1, 4}, device()))[1].to_vector<std::int64_t>(), (Ints{0, 1, 2, 3}));
  EXPECT_THROW((void)assigned_at(a, {0}, counted({3}, device())), UsageError);
  EXPECT_THROW((void)assigned_at(a, {5}, 1), UsageError);
}

TEST_P(Indexing, Gradients) {
  Array x = Array::from({1.0F, 2.0F, 3.0F, 4.0F}, {2, 2}, device()), y = Array::from({5.0F, 6.0F}, {2}, device());
  x.requires_grad();
  y.requires_grad();
  sum(square(assigned_at(x, {Slice(), 1}, y)) + square(x[{newaxis, Slice({}, {}, -1), 0}])).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (Floats{6, 0, 18, 0}));  // broadcast: (2, 2) + (1, 2)
  EXPECT_EQ(y.grad().to_vector<float>(), (Floats{10, 12}));
}

TEST_P(Indexing, OperatorsThatAssign) {
  Array a = Array::from({std::int32_t{12}, 10}, {2}, device());
  const Array before = a;
  a %= 7;
  a <<= 2;
  a |= 1;
  a ^= 16;
  a &= 0x1d;
  a >>= 1;
  EXPECT_EQ(a.to_vector<std::int32_t>(), (std::vector<std::int32_t>{2, 14}));
  EXPECT_EQ(before.to_vector<std::int32_t>(), (std::vector<std::int32_t>{12, 10}));
  EXPECT_EQ((((a << 1) >> 2) == 1).to_vector<bool>(), (std::vector<bool>{true, false}));
}

TEST_P(Random, SameSeedSameValuesOnEveryDevice) {
  const Shape shape{1000};
  const auto check = [&](auto&& drawn) {
    EXPECT_EQ(drawn(Device()).template to_vector<std::int64_t>(), drawn(device()).template to_vector<std::int64_t>());
  };
  check([&](const Device& on) { return random::integers(-5, 5, shape, on, 3); });
  check([&](const Device& on) { return random::integers(0, std::int64_t{1} << 32U, shape, on, 3); });
  check([&](const Device& on) { return random::permutation(1000, on, 3); });
  check([&](const Device& on) { return random::choice(5000, shape, false, on, 3); });
  check([&](const Device& on) { return random::choice(arange(7, DType::int64, on), shape, true, 3); });
  check([&](const Device& on) { return astype(random::bernoulli(0.3, shape, on, 3), DType::int64); });
  EXPECT_EQ(random::uniform(shape, Device(), 9).to_vector<float>(),
            random::uniform(shape, device(), 9).to_vector<float>());
  EXPECT_NE(random::uniform(shape, device(), 9).to_vector<float>(),
            random::uniform(shape, device(), 8).to_vector<float>());
  EXPECT_LT(max(abs(random::normal(shape, device(), 4).to("cpu") - random::normal(shape, Device(), 4))).item(), 1e-5F);
}

TEST_P(Random, TheStreamGoesOn) {
  random::seed(12);
  const Floats first = random::uniform({8}, device()).to_vector<float>();
  const Floats second = random::uniform({8}, device()).to_vector<float>();
  EXPECT_NE(first, second);
  random::seed(12);
  EXPECT_EQ(random::uniform({8}, device()).to_vector<float>(), first);
  (void)random::uniform({8}, device(), 1);  // does not touch the stream
  EXPECT_EQ(random::uniform({8}, device()).to_vector<float>(), second);
}

TEST_P(Random, Distributions) {
  const Shape shape{200, 500};
  const Array u = random::uniform(shape, -2, 6, device(), 1), n = random::normal(shape, 3, 2, device(), 2);
  EXPECT_NEAR(mean(u).item(), 2, 0.05);
  EXPECT_GE(min(u).item(), -2);
  EXPECT_LT(max(u).item(), 6);
  EXPECT_NEAR(mean(n).item(), 3, 0.05);
  EXPECT_NEAR(overtake::std(n).item(), 2, 0.05);
  EXPECT_NEAR(mean(astype(random::bernoulli(0.25, shape, device(), 5), DType::float32)).item(), 0.25, 0.01);
  const Array whole = random::integers(-3, 3, shape, device(), 6);
  EXPECT_EQ(unique_values(whole).to_vector<std::int64_t>(), (Ints{-3, -2, -1, 0, 1, 2}));
  EXPECT_EQ(sort(random::permutation(arange(50, DType::int64, device()), 7)).to_vector<std::int64_t>(),
            arange(50).to_vector<std::int64_t>());
  EXPECT_EQ(unique_values(random::choice(60, {30}, false, device(), 8)).size(), 30);
  EXPECT_EQ(random::choice(counted({3, 2}, device()), {4}, true, 8).shape(), Shape({4, 2}));
}

TEST_P(Random, Refusals) {
  EXPECT_THROW((void)random::integers(3, 3, {2}, device()), UsageError);
  EXPECT_THROW((void)random::integers(std::numeric_limits<std::int64_t>::min(), 1, {2}, device()), UsageError);
  EXPECT_THROW((void)random::bernoulli(1.5, {2}, device()), UsageError);
  EXPECT_THROW((void)random::choice(3, {4}, false, device()), UsageError);
  EXPECT_THROW((void)random::choice(0, {4}, true, device()), UsageError);
  EXPECT_THROW((void)random::permutation(-1, device()), UsageError);
  EXPECT_THROW((void)random::permutation(Array(1)), UsageError);
}

TEST_P(Printing, LooksAsNumPys) {
  const Device on = device();
  EXPECT_EQ(to_string(Array::from({1.0F, 2.5F, -3.25F, 0.1F}, {2, 2}, on)), "[[ 1.  ,  2.5 ],\n [-3.25,  0.1 ]]");
  EXPECT_EQ(to_string(Array::from({1.0F, 2.0F}, {2}, on)), "[1., 2.]");
  EXPECT_EQ(to_string(Array::from({1e-7F, 1.0F}, {2}, on)), "[1.e-07, 1.e+00]");
  EXPECT_EQ(to_string(Array::from({1.5e9F, -2.0F, std::nanf(""), -HUGE_VALF}, {4}, on)),
            "[ 1.5e+09, -2.0e+00,      nan,     -inf]");
  EXPECT_EQ(to_string(Array::from({float16(0.1F), float16(2)}, {2}, on)), "[0.1, 2. ]");
  EXPECT_EQ(to_string(Array::from({bfloat16(0.1F), bfloat16(300)}, {2}, on)), "[1.e-01, 3.e+02]");
  EXPECT_EQ(to_string(Array::from({true, false}, {2}, on)), "[ True, False]");
  EXPECT_EQ(to_string(Array::from({std::int8_t{-128}, std::int8_t{7}}, {2}, on)), "[-128,    7]");
  EXPECT_EQ(to_string(Array::from({~std::uint64_t{0}}, {}, on)), "18446744073709551615");
  EXPECT_EQ(to_string(zeros(Shape{0, 3}, on)), "[]");
  EXPECT_EQ(to_string(counted({2, 2, 2}, on)), "[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]");
  EXPECT_EQ(to_string(counted({1001}, on)), "[   0,    1,    2, ...,  998,  999, 1000]");
  const std::string text = to_string(counted({500, 500}, on));
  EXPECT_THAT(text, ::testing::StartsWith("[[     0,      1,      2, ...,    497,    498,    499],\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("\n ...,\n"));
  std::ostringstream out;
  out << Array::from({1.0F}, {1}, on) << Array();
  EXPECT_EQ(out.str(), "array([1.], dtype=float32, shape=(1,), device=" + on.id() + ")array(undefined)");
}

TEST_P(Printing, ReadsWhatIsShown) {
  const Array a = counted({1000, 1000}, device());
  a.eval();
  const TransferCount before = device().transfers();
  (void)to_string(a);
  EXPECT_LE(device().transfers().download_bytes - before.download_bytes, 36U * sizeof(std::int64_t));
}

TEST_P(Printing, LinesAreWrapped) {
  const std::string text = to_string(counted({60}, device()));
  std::istringstream lines(text);
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  EXPECT_LE(longest, 75U);
  EXPECT_THAT(text, ::testing::HasSubstr("\n "));
}

}  // namespace
}  // namespace overtake::oracle
