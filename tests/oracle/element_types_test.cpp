// SPDX-License-Identifier: MIT
// Functions of every element type: whole numbers against C++'s own, half precision against rounding the float32 result,
// conversions, promotion, weak numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "oracle/devices.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class ElementTypes : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, ElementTypes, ::testing::ValuesIn(list_devices()), device_name);

std::mt19937& engine() {
  static std::mt19937 engine(std::random_device{}());
  return engine;
}

template <typename T>
std::vector<T> whole_numbers(std::size_t count) {
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = (static_cast<std::uint64_t>(engine()()) << 32U) | engine()();
    values.push_back(static_cast<T>(i % 3 == 0 ? bits : bits % 17 - (std::is_signed_v<T> ? 8 : 0)));
  }
  values[0] = std::numeric_limits<T>::min();
  values[1] = std::numeric_limits<T>::max();
  values[2] = 0;
  return values;
}

template <typename T>
using Wrapping = std::make_unsigned_t<T>;

// C++ computes narrow types in int: the casts bring the results back.
template <typename T>
T floor_divided(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(a));
    const T whole = static_cast<T>(a / b);
    return static_cast<T>(a % b != 0 && (a < 0) != (b < 0) ? whole - 1 : whole);
  } else {
    return static_cast<T>(a / b);
  }
}

template <typename T>
T remainder_of(T a, T b) {
  if (b == 0) return 0;
  const std::uint64_t product =
      std::uint64_t{static_cast<Wrapping<T>>(floor_divided(a, b))} * static_cast<Wrapping<T>>(b);
  return static_cast<T>(static_cast<Wrapping<T>>(a) - product);
}

template <typename T>
void check_whole_numbers(const Device& device) {
  SCOPED_TRACE(name_of(dtype_of<T>::value));
  using W = Wrapping<T>;
  const std::size_t count = 4099;
  const std::vector<T> x = whole_numbers<T>(count), y = whole_numbers<T>(count);
  const Shape shape{static_cast<std::int64_t>(count)};
  const Array a = Array::from(x, shape, device), b = Array::from(y, shape, device);
  const auto same = [&](const char* name, const Array& got, auto truth) {
    const std::vector<T> values = got.to_vector<T>();
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(values[i], static_cast<T>(truth(x[i], y[i]))) << name << " of " << +x[i] << " and " << +y[i];
    }
  };
  same("add", a + b, [](T p, T q) { return static_cast<W>(p) + static_cast<W>(q); });
  same("subtract", a - b, [](T p, T q) { return static_cast<W>(p) - static_cast<W>(q); });
  same("multiply", a * b, [](T p, T q) { return std::uint64_t{static_cast<W>(p)} * static_cast<W>(q); });
  same("negative", -a, [](T p, T) { return W(0) - static_cast<W>(p); });
  same("abs", overtake::abs(a), [](T p, T) { return p < 0 ? W(0) - static_cast<W>(p) : static_cast<W>(p); });
  same("sign", sign(a), [](T p, T) { return p > 0 ? 1 : (p < 0 ? -1 : 0); });
  same("maximum", maximum(a, b), [](T p, T q) { return std::max(p, q); });
  same("minimum", minimum(a, b), [](T p, T q) { return std::min(p, q); });
  same("floor_divide", floor_divide(a, b), floor_divided<T>);
  same("remainder", a % b, remainder_of<T>);
  same("and", a & b, [](T p, T q) { return p & q; });
  same("or", a | b, [](T p, T q) { return p | q; });
  same("xor", a ^ b, [](T p, T q) { return p ^ q; });
  same("invert", ~a, [](T p, T) { return ~p; });
  same("power", power(a, 3), [](T p, T) {
    const std::uint64_t w = static_cast<W>(p);
    return w * w * w;
  });
  const Array shift = remainder(b, static_cast<int>(8 * sizeof(T)));
  same("left shift", bitwise_left_shift(a, astype(shift, a.dtype())), [](T p, T q) {
    return static_cast<std::uint64_t>(static_cast<W>(p)) << static_cast<unsigned>(remainder_of<T>(q, 8 * sizeof(T)));
  });
  same("where", where(a < b, a, b), [](T p, T q) { return p < q ? p : q; });
  EXPECT_EQ(max(a).item<T>(), *std::max_element(x.begin(), x.end()));
  EXPECT_EQ(min(a).item<T>(), *std::min_element(x.begin(), x.end()));
  std::uint64_t sum_of = 0;
  for (const T value : x) sum_of += static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  EXPECT_EQ(static_cast<std::uint64_t>(sum(a).item<std::int64_t>()), sum_of);
  EXPECT_EQ(sum(a).dtype(), std::is_signed_v<T> ? DType::int64 : DType::uint64);
  EXPECT_EQ(argmax(a).item<int>(), static_cast<int>(std::max_element(x.begin(), x.end()) - x.begin()));
  EXPECT_EQ(argmin(a).item<int>(), static_cast<int>(std::min_element(x.begin(), x.end()) - x.begin()));
}

TEST_P(ElementTypes, WholeNumbersWrapRound) {
  const Device device = OnEveryDevice::device();
  check_whole_numbers<std::int8_t>(device);
  check_whole_numbers<std::int16_t>(device);
  check_whole_numbers<std::int32_t>(device);
  check_whole_numbers<std::int64_t>(device);
  check_whole_numbers<std::uint8_t>(device);
  check_whole_numbers<std::uint16_t>(device);
  check_whole_numbers<std::uint32_t>(device);
  check_whole_numbers<std::uint64_t>(device);
}

template <typename H>
void check_half(const Device& device) {
  SCOPED_TRACE(name_of(dtype_of<H>::value));
  std::vector<H> every;  // all 65,536 of them
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    H value;
    value.bits = static_cast<std::uint16_t>(bits);
    every.push_back(value);
  }
  std::vector<H> mixed = every;
  std::shuffle(mixed.begin(), mixed.end(), engine());
  const Shape shape{static_cast<std::int64_t>(every.size())};
  const Array a = Array::from(every, shape, device), b = Array::from(mixed, shape, device);
  const std::vector<float> wide = astype(a, DType::float32).to_vector<float>();
  const std::vector<H> sums = (a + b).template to_vector<H>(), products = (a * b).template to_vector<H>();
  const std::vector<H> copies = astype(astype(a, DType::float32), a.dtype()).template to_vector<H>();
  const auto same = [](H got, H expected) {
    const auto x = static_cast<float>(got), y = static_cast<float>(expected);
    return got == expected || (std::isnan(x) && std::isnan(y));
  };
  for (std::size_t i = 0; i < every.size(); ++i) {
    const auto x = static_cast<float>(every[i]), y = static_cast<float>(mixed[i]);
    ASSERT_TRUE(wide[i] == x || (std::isnan(wide[i]) && std::isnan(x))) << "bits " << i;
    ASSERT_TRUE(same(copies[i], every[i])) << "bits " << i;
    ASSERT_TRUE(same(sums[i], H(x + y))) << x << " + " << y;
    ASSERT_TRUE(same(products[i], H(x * y))) << x << " * " << y;
  }
}

TEST_P(ElementTypes, HalfPrecisionIsFloatRounded) {
  check_half<float16>(OnEveryDevice::device());
  check_half<bfloat16>(OnEveryDevice::device());
}

TEST_P(ElementTypes, DoublesAreDoubles) {
  const Device device = OnEveryDevice::device();
  if (!device.info().double_precision) GTEST_SKIP() << "no double precision";
  std::uniform_real_distribution<double> uniform(-3, 3);
  std::vector<double> x(5001);
  for (double& value : x) value = uniform(engine());
  const Array a = Array::from(x, Shape{5001}, device);
  const auto close = [&](const char* name, const Array& got, double (*truth)(double), double ulp) {
    const std::vector<double> values = got.to_vector<double>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = truth(x[i]);
      ASSERT_NEAR(values[i], expected, ulp * 2.3e-16 * std::max(std::abs(expected), 1e-3)) << name << " of " << x[i];
    }
  };
  close("exp", exp(a), std::exp, 4);
  close("sin", sin(a), std::sin, 4);
  close("tanh", tanh(a), std::tanh, 4);
  close("erf", erf(a), std::erf, 4);
  close(
      "sqrt", sqrt(overtake::abs(a)), [](double v) { return std::sqrt(std::abs(v)); }, 0);
  close(
      "a third", a / 3, [](double v) { return v / 3; }, 0);
  close(
      "0.1 times", 0.1 * a, [](double v) { return 0.1 * v; }, 0);
  Array leaf = Array::from(x, Shape{5001}, device);
  leaf.requires_grad();
  sum(exp(leaf) * leaf).backward();
  ASSERT_EQ(leaf.grad().dtype(), DType::float64);
  const std::vector<double> gradient = leaf.grad().to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(gradient[i], std::exp(x[i]) * (1 + x[i]), 1e-13 * std::exp(3)) << "at " << x[i];
  }
}

// All types to all types, by way of numbers that each can hold, wrap round, or clip.
TEST_P(ElementTypes, Conversions) {
  const Device device = OnEveryDevice::device();
  const float inf = std::numeric_limits<float>::infinity();
  const Array x =
      Array::from({-1.9F, 0.0F, 2.9F, 200.0F, 70000.0F, 3e9F, 1e20F, -inf, inf, std::nanf("")}, {10}, device);
  using Bytes = std::vector<std::int8_t>;
  EXPECT_EQ(astype(x, DType::int8).to_vector<std::int8_t>(), (Bytes{-1, 0, 2, 127, 127, 127, 127, -128, 127, 0}));
  EXPECT_EQ(astype(x, DType::uint8).to_vector<std::uint8_t>(),
            (std::vector<std::uint8_t>{0, 0, 2, 200, 255, 255, 255, 0, 255, 0}));
  EXPECT_EQ(astype(x, DType::uint32).to_vector<std::uint32_t>(),
            (std::vector<std::uint32_t>{0, 0, 2, 200, 70000, 3000000000U, 4294967295U, 0, 4294967295U, 0}));
  EXPECT_EQ(astype(x, DType::int64).to_vector<std::int64_t>()[6], std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(astype(x, DType::uint64).to_vector<std::uint64_t>()[8], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(astype(x, DType::boolean).to_vector<bool>(),
            (std::vector<bool>{true, false, true, true, true, true, true, true, true, true}));
  const Array whole = Array::from(std::vector<std::int64_t>{-1, 300, 1LL << 40, -(1LL << 62)}, {4}, device);
  EXPECT_EQ(astype(whole, DType::uint8).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{255, 44, 0, 0}));
  EXPECT_EQ(astype(whole, DType::uint64).to_vector<std::uint64_t>()[0], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(astype(whole, DType::float32).to_vector<float>()[2], std::ldexp(1.0F, 40));
  EXPECT_EQ(sum(astype(whole, DType::boolean)).item<int>(), 4);
}

TEST_P(ElementTypes, PromotionAndWeakNumbers) {
  const Device device = OnEveryDevice::device();
  const auto typed = [&](DType dtype) { return ones(Shape{3}, dtype, device); };
  EXPECT_EQ((typed(DType::int8) + typed(DType::uint8)).dtype(), DType::int16);
  EXPECT_EQ((typed(DType::int32) + typed(DType::uint32)).dtype(), DType::int64);
  EXPECT_EQ((typed(DType::float16) + typed(DType::bfloat16)).dtype(), DType::float32);
  EXPECT_EQ((typed(DType::int64) + typed(DType::float16)).dtype(), DType::float16);
  EXPECT_EQ((typed(DType::boolean) * typed(DType::float32)).dtype(), DType::float32);
  EXPECT_THROW((void)(typed(DType::uint64) + typed(DType::int8)), UsageError);
  EXPECT_EQ((typed(DType::int8) + 1).dtype(), DType::int8);
  EXPECT_EQ((typed(DType::int8) + 0.5).dtype(), DType::float32);
  EXPECT_EQ((typed(DType::float16) * 2).dtype(), DType::float16);
  EXPECT_EQ((typed(DType::boolean) + 1).dtype(), DType::int64);
  EXPECT_EQ((typed(DType::int32) / 2).dtype(), DType::float32);
  EXPECT_EQ((typed(DType::int32) == 1.5).dtype(), DType::boolean);
  EXPECT_EQ(((typed(DType::float32) > 0) & true).to_vector<bool>(), (std::vector<bool>{true, true, true}));
  EXPECT_EQ((!(typed(DType::int32) > 0)).to_vector<bool>(), (std::vector<bool>{false, false, false}));
  Array x = typed(DType::int16);
  x += 5;
  EXPECT_EQ(x.to_vector<std::int16_t>(), (std::vector<std::int16_t>{6, 6, 6}));
}

TEST_P(ElementTypes, Logic) {
  const Device device = OnEveryDevice::device();
  const Array a = Array::from({0.0F, 0.0F, 2.0F, -1.0F}, {4}, device);
  const Array b = Array::from(std::vector<std::int32_t>{0, 3, 0, 5}, {4}, device);
  using Truths = std::vector<bool>;
  EXPECT_EQ(logical_and(a, b).to_vector<bool>(), (Truths{false, false, false, true}));
  EXPECT_EQ(logical_or(a, b).to_vector<bool>(), (Truths{false, true, true, true}));
  EXPECT_EQ(logical_xor(a, b).to_vector<bool>(), (Truths{false, true, true, false}));
  EXPECT_EQ(logical_not(a).to_vector<bool>(), (Truths{true, true, false, false}));
  EXPECT_EQ((~(a > 0)).to_vector<bool>(), (Truths{true, true, false, true}));
}

TEST_P(ElementTypes, ShiftsToTheRight) {
  const Device device = OnEveryDevice::device();
  const Array by = Array::from(std::vector<std::int8_t>{0, 1, 3, 7, 8, 100}, {6}, device);
  const auto shifted = [&](std::int8_t value) {
    return bitwise_right_shift(full(Shape{6}, value, DType::int8, device), by).to_vector<std::int8_t>();
  };
  using Bytes = std::vector<std::int8_t>;
  EXPECT_EQ(shifted(100), (Bytes{100, 50, 12, 0, 0, 0}));
  EXPECT_EQ(shifted(-100), (Bytes{-100, -50, -13, -1, -1, -1}));
  const Array large = full(Shape{1}, std::uint64_t{1} << 63U, DType::uint64, device);
  EXPECT_EQ(bitwise_right_shift(large, ones(Shape{1}, DType::uint64, device) * 62).to_vector<std::uint64_t>()[0], 2U);
}

TEST_P(ElementTypes, RandomBits) {
  const Device device = OnEveryDevice::device();
  const Array bits = random_bits(Shape{7, 11}, 99, 3, Array(5));
  const std::vector<std::int32_t> got = bits.to(device).to_vector<std::int32_t>();
  const Array counter = Array::from(std::vector<std::int32_t>{5}, {1}, device);
  EXPECT_EQ(random_bits(Shape{7, 11}, 99, 3, counter).to_vector<std::int32_t>(), got);
  const std::vector<float> uniform_of = uniform(Shape{7, 11}, 99, 3, counter).to_vector<float>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto word = static_cast<std::uint32_t>(got[i]);
    ASSERT_EQ(uniform_of[i], std::ldexp(static_cast<float>(word >> 8U), -24)) << i;
  }
}

TEST_P(ElementTypes, TruthsOfAxes) {
  const Device device = OnEveryDevice::device();
  const Array x = Array::from(std::vector<std::int32_t>{0, 2, 0, 0, -1, 0}, {2, 3}, device);
  EXPECT_TRUE(any(x).item<bool>());
  EXPECT_FALSE(all(x).item<bool>());
  EXPECT_EQ(any(x, 0).to_vector<bool>(), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(all(x, 0).to_vector<bool>(), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(count_nonzero(x, 1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 1}));
  EXPECT_FALSE(any(zeros(Shape{0}, device)).item<bool>());
  EXPECT_TRUE(all(zeros(Shape{0}, device)).item<bool>());
  EXPECT_EQ(prod(x + 3).item<int>(), 3 * 5 * 3 * 3 * 2 * 3);
}

// Statistics over several axes against plain loops.
TEST_P(ElementTypes, Statistics) {
  const Device device = OnEveryDevice::device();
  std::normal_distribution<float> normal(3, 2);
  std::vector<float> x(4 * 5 * 6);
  for (float& value : x) value = normal(engine());
  const Array a = Array::from(x, {4, 5, 6}, device);
  const std::vector<float> means = mean(a, std::vector<int>{0, 2}).to_vector<float>();
  const std::vector<float> deviations = overtake::std(a, std::vector<int>{0, 2}, 1).to_vector<float>();
  const std::vector<float> norms = norm(a, 3, std::vector<int>{0, 2}).to_vector<float>();
  for (std::size_t j = 0; j < 5; ++j) {
    double total = 0, cubes = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t k = 0; k < 6; ++k) total += x[(i * 5 + j) * 6 + k];
    }
    double squares = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t k = 0; k < 6; ++k) {
        squares += std::pow(x[(i * 5 + j) * 6 + k] - total / 24, 2);
        cubes += std::pow(std::abs(x[(i * 5 + j) * 6 + k]), 3);
      }
    }
    EXPECT_NEAR(means[j], total / 24, 1e-5);
    EXPECT_NEAR(deviations[j], std::sqrt(squares / 23), 1e-5);
    EXPECT_NEAR(norms[j], std::cbrt(cubes), 1e-4);
  }
  EXPECT_EQ(sum(a, std::vector<int>{-1, 0}, true).shape(), (Shape{1, 5, 1}));
  EXPECT_THROW((void)sum(a, std::vector<int>{0, -3}), UsageError);
}

TEST_P(ElementTypes, PartsAndOrders) {
  const Device device = OnEveryDevice::device();
  const Array x = reshape(arange(24, DType::int32, device), {2, 3, 4});
  using Ints = std::vector<std::int32_t>;
  EXPECT_EQ(slice(x, -1, {}, 2, 1).to_vector<std::int32_t>(), (Ints{3, 7, 11, 15, 19, 23}));
  EXPECT_EQ(slice(slice(x, {}, {}, 2, -2), 0, 1).to_vector<std::int32_t>(), (Ints{3, 1, 7, 5, 11, 9}));
  EXPECT_EQ(slice(x, 5, 100).size(), 0);
  EXPECT_EQ(flip(x, std::vector<int>{0, 1}).to_vector<std::int32_t>()[0], 20);
  EXPECT_EQ(moveaxis(x, {0}, {2}).shape(), (Shape{3, 4, 2}));
  EXPECT_EQ(permute_dims(x, {2, 0, 1}).to_vector<std::int32_t>()[1], 4);
  EXPECT_EQ(permute_dims(permute_dims(x, {2, 0, 1}), {1, 2, 0}).to_vector<std::int32_t>(), x.to_vector<std::int32_t>());
  EXPECT_EQ(matrix_transpose(x).shape(), (Shape{2, 4, 3}));
  EXPECT_EQ(squeeze(expand_dims(x, -2), {2}).shape(), x.shape());
  EXPECT_EQ(take(x, Array::from(Ints{3, -4}, {2}, device), 2).to_vector<std::int32_t>()[3], 4);
  EXPECT_EQ(take(x, Array::from(std::vector<std::int64_t>{1, 0, 1, 1}, {2, 2}, device), 0).shape(),
            (Shape{2, 2, 3, 4}));
  EXPECT_EQ(take_along_axis(x, reshape(Array::from(Ints{2, 0, 1, 1, 0, 2}, {6}, device), {2, 3, 1}))
                .to_vector<std::int32_t>(),
            (Ints{2, 4, 9, 13, 16, 22}));
  EXPECT_EQ(clip(x, 5, 7).to_vector<std::int32_t>()[23], 7);
  EXPECT_EQ(eye(2, 3, 1, DType::int32, device).to_vector<std::int32_t>(), (Ints{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(linspace(0, 1, 5, true, DType::float32, device).to_vector<float>(),
            (std::vector<float>{0, 0.25F, 0.5F, 0.75F, 1}));
  EXPECT_EQ(arange(5, -1, -2, DType::int32, device).to_vector<std::int32_t>(), (Ints{5, 3, 1}));
  EXPECT_EQ(coordinates({2, 2}, 0, device).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 1, 1}));
  const Array some = astype(x, DType::float32);
  Array leaf = some.detach();
  leaf.requires_grad();
  sum(square(slice(leaf, {}, {}, 1, -2))).backward();
  const std::vector<float> gradient = leaf.grad().to_vector<float>();
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(gradient[static_cast<std::size_t>(i)], i / 4 % 3 == 1 ? 0 : 2 * i) << i;
  }
}

}  // namespace
}  // namespace overtake::oracle
