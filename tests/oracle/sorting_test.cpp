// SPDX-License-Identifier: MIT
// Running sums, sorting and searching against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "oracle/devices.hpp"
#include "oracle/ordering.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class Sorting : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Sorting, ::testing::ValuesIn(list_devices()), device_name);

// The order of one axis by the definition.
template <class T>
std::vector<std::int64_t> order_of(const std::vector<T>& values, bool descending) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const T x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
    return descending ? comes_before(y, x) : comes_before(x, y);
  });
  return order;
}

template <class T>
void expect_sorted(const Device& device, std::int64_t n, std::uint32_t seed) {
  for (const bool descending : {false, true}) {
    const std::vector<T> values = ugly_values<T>(n, seed);
    const Array a = array_of(values, Shape{n}, device);
    const std::vector<std::int64_t> expected = order_of(values, descending);
    ASSERT_EQ(argsort(a, -1, descending).template to_vector<std::int64_t>(), expected)
        << name_of(dtype_of<T>::value) << " " << n << (descending ? " descending" : "");
    const std::vector<T> sorted = sort(a, 0, descending).template to_vector<T>();
    std::vector<T> in_order = values;
    std::stable_sort(in_order.begin(), in_order.end(), comes_before_exactly<T>);
    if (descending) std::reverse(in_order.begin(), in_order.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) ASSERT_TRUE(same_bits(sorted[i], T(in_order[i]))) << i;
  }
}

constexpr std::int64_t sizes[] = {1, 2, 3, 255, 256, 257, 512, 513, 2047, 2048, 2049, 4095, 4096, 4097, 9000};

TEST_P(Sorting, EveryTypeAndSize) {
  const Device device = OnEveryDevice::device();
  std::uint32_t seed = 1;
  for (const std::int64_t n : sizes) {
    with_every_type(device, [&]<class T>(T) { expect_sorted<T>(device, n, ++seed); });
  }
  with_every_type(device, [&]<class T>(T) { expect_sorted<T>(device, 70001, ++seed); });
}

// Values of `keep`(random bits), as rows, as columns, and from back to front.
template <class T, class Keep>
void expect_values_sorted(const Device& device, std::int64_t rows, std::int64_t n, Keep keep) {
  std::mt19937_64 random(static_cast<std::uint64_t>(n));
  std::vector<T> values(static_cast<std::size_t>(rows * n));
  for (T& value : values) {
    const std::uint64_t bits = keep(random());
    std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  }
  std::vector<T> up = values;
  for (auto row = up.begin(); row != up.end(); row += n) std::sort(row, row + n, comes_before_exactly<T>);
  const auto expect = [&](const Array& sorted, bool descending, const char* what) {
    const std::vector<T> got = sorted.template to_vector<T>();
    for (std::int64_t i = 0; i < rows * n; ++i) {
      const std::int64_t place = descending ? i / n * n + n - 1 - i % n : i;
      ASSERT_TRUE(same_bits(got[static_cast<std::size_t>(i)], up[static_cast<std::size_t>(place)]))
          << name_of(dtype_of<T>::value) << " " << what << " " << rows << " x " << n << " at " << i;
    }
  };
  const Array a = array_of(values, Shape{rows, n}, device);
  expect(sort(a, 1), false, "rows");
  expect(sort(a, 1, true), true, "descending rows");
  expect(sort(flip(a, std::vector{1}), 1, true), true, "flipped rows");
  if (rows == 1) return;
  const Array columns = array_of(permute_dims(a, {1, 0}).template to_vector<T>(), Shape{n, rows}, device);
  expect(permute_dims(sort(columns, 0), {1, 0}), false, "columns");
  expect(permute_dims(sort(columns, 0, true), {1, 0}), true, "descending columns");
}

// Lengths about the limits of vectors, of counting, and of one and several threads.
TEST_P(Sorting, ValuesOfEveryLength) {
  const Device device = OnEveryDevice::device();
  const auto all = [](std::uint64_t bits) { return bits; };
  for (const std::int64_t n : {31, 32, 33, 63, 64, 65, 511, 512, 513, 1023, 4099}) {
    with_every_type(device, [&]<class T>(T) {
      if constexpr (!std::is_same_v<T, bool>) expect_values_sorted<T>(device, 3, n, all);
    });
  }
  expect_values_sorted<std::uint32_t>(device, 1000, 40, all);
  if (device.info().double_precision) expect_values_sorted<double>(device, 100, 700, all);
  for (const std::int64_t n : {(1 << 18) - 1, 1 << 18, (1 << 18) + 1}) {
    expect_values_sorted<std::int16_t>(device, 2, n, all);
    expect_values_sorted<float16>(device, 1, n, all);
    expect_values_sorted<std::int8_t>(device, 1, n, all);
  }
}

// Keys that buckets do not divide: few, one, one among many, steps over many sizes, high bits that are all the same.
TEST_P(Sorting, ValuesOfEveryDistribution) {
  const Device device = OnEveryDevice::device();
  const auto all = [](std::uint64_t bits) { return bits; };
  const auto few = [](std::uint64_t bits) { return bits % 10 * 0x3331233312333123U; };
  const auto one = [](std::uint64_t) { return std::uint64_t{0x4242424242424242U}; };
  const auto frequent = [](std::uint64_t bits) { return bits % 16 == 0 ? bits : 0x1234567812345678U; };
  const auto nested = [](std::uint64_t bits) { return bits % 64 == 0 ? bits : bits & 0xffff; };
  const auto steps = [](std::uint64_t bits) { return bits >> (bits % 61); };
  const auto low = [](std::uint64_t bits) { return (bits & 0xfff) | 0x3f80000030000000U; };
  const auto each = [&](std::int64_t n, auto keep) {
    expect_values_sorted<float>(device, 1, n, keep);
    expect_values_sorted<std::uint64_t>(device, 1, n, keep);
  };
  for (const std::int64_t n : {(1 << 16) + 1, (1 << 19) + 5}) {
    each(n, all), each(n, few), each(n, one), each(n, frequent), each(n, nested), each(n, steps), each(n, low);
  }
  if (device.info().double_precision) expect_values_sorted<double>(device, 1, 1 << 19, all);
  expect_values_sorted<float>(device, 2, 1 << 19, nested);
  expect_values_sorted<std::uint16_t>(device, 1, 1 << 20, few);
}

TEST_P(Sorting, EveryAxis) {
  const Device device = OnEveryDevice::device();
  for (const Shape& shape : {Shape{3, 5, 4}, Shape{2, 300, 3}, Shape{2, 3, 2100}, Shape{2100, 2}, Shape{1000, 7}}) {
    const std::vector<float> values = ugly_values<float>(shape.size(), 7);
    const Array a = array_of(values, shape, device);
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      const std::vector<std::int64_t> got = argsort(a, static_cast<int>(axis)).to_vector<std::int64_t>();
      for_each_axis(shape, axis, [&](const std::vector<std::size_t>& places) {
        std::vector<float> line;
        for (const std::size_t place : places) line.push_back(values[place]);
        const std::vector<std::int64_t> expected = order_of(line, false);
        for (std::size_t i = 0; i < places.size(); ++i) ASSERT_EQ(got[places[i]], expected[i]) << axis << " " << i;
      });
    }
    // A view that is not contiguous.
    const Array turned = permute_dims(a, shape.rank() == 3 ? std::vector{2, 0, 1} : std::vector{1, 0});
    EXPECT_EQ(argsort(turned, 0).to_vector<std::int64_t>(),
              argsort(Array::from(turned.to_vector<float>(), turned.shape(), device), 0).to_vector<std::int64_t>());
  }
}

TEST_P(Sorting, EmptyArraysAndErrors) {
  const Device device = OnEveryDevice::device();
  const Array none = zeros(Shape{0, 3}, device);
  EXPECT_EQ(sort(none, 0).shape(), (Shape{0, 3}));
  EXPECT_EQ(argsort(none, 1).dtype(), DType::int64);
  EXPECT_EQ(cumulative_sum(none, 0, {}, true).to_vector<float>(), std::vector<float>(3, 0.0F));
  EXPECT_EQ(searchsorted(zeros(Shape{0}, device), ones(Shape{2}, device)).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{0, 0}));
  EXPECT_THROW((void)sort(zeros(Shape{}, device)), UsageError);
  EXPECT_THROW((void)sort(none, 2), UsageError);
  EXPECT_THROW((void)cumulative_sum(none), UsageError);
  EXPECT_THROW((void)topk(ones(Shape{4}, device), 5), UsageError);
  EXPECT_THROW((void)searchsorted(none, none), UsageError);
}

TEST_P(Sorting, TopK) {
  const Device device = OnEveryDevice::device();
  const Array a = Array::from({3.0F, 1.0F, 3.0F, 2.0F, 5.0F, 0.0F}, Shape{2, 3}, device);
  const TopK best = topk(a, 2);
  EXPECT_EQ(best.values.to_vector<float>(), (std::vector<float>{3, 3, 5, 2}));
  EXPECT_EQ(best.indices.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 2, 1, 0}));
  EXPECT_EQ(topk(a, 1, 0, false).indices.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0, 1}));
}

template <class T>
void expect_found(const Device& device, std::int64_t n, std::int64_t m, std::uint32_t seed) {
  std::vector<T> haystack = ugly_values<T>(n, seed);
  const std::vector<T> needles = ugly_values<T>(m, seed + 1);
  const Array unsorted = array_of(haystack, Shape{n}, device), looked_for = array_of(needles, Shape{m}, device);
  const Array sorter = argsort(unsorted);
  std::stable_sort(haystack.begin(), haystack.end(), comes_before<T>);
  for (const SearchSide side : {SearchSide::left, SearchSide::right}) {
    std::vector<std::int64_t> expected;
    for (const T needle : needles) {
      const auto found = side == SearchSide::left
                             ? std::lower_bound(haystack.begin(), haystack.end(), needle, comes_before<T>)
                             : std::upper_bound(haystack.begin(), haystack.end(), needle, comes_before<T>);
      expected.push_back(found - haystack.begin());
    }
    EXPECT_EQ(searchsorted(sort(unsorted), looked_for, side).template to_vector<std::int64_t>(), expected);
    EXPECT_EQ(searchsorted(unsorted, looked_for, side, sorter).template to_vector<std::int64_t>(), expected);
  }
}

TEST_P(Sorting, Search) {
  const Device device = OnEveryDevice::device();
  for (const auto& counts : {std::pair{1, 5}, std::pair{257, 1000}, std::pair{5000, 300}}) {
    with_every_type(device, [&]<class T>(T) { expect_found<T>(device, counts.first, counts.second, 3); });
  }
  // The tape after the core.
  const Array sorted = Array::from({1.0F, 2.0F, 3.0F}, Shape{3}, device);
  const Array values = Array::from({0.0F, 2.5F, 9.0F, 2.0F}, Shape{2, 2}, device);
  EXPECT_EQ((searchsorted(sorted, values) * 2 + 1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 5, 7, 3}));
}

TEST_P(Sorting, RunningSumsOfWholeNumbers) {
  const Device device = OnEveryDevice::device();
  for (const std::int64_t n : {1, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 8192, 70001}) {
    const std::vector<std::int64_t> values = ugly_values<std::int64_t>(n, 11);
    std::vector<std::uint64_t> sum(values.begin(), values.end()), product = sum;
    for (std::size_t i = 1; i < sum.size(); ++i) sum[i] += sum[i - 1], product[i] *= product[i - 1];
    const Array a = array_of(values, Shape{n}, device);
    const Array b = Array::from(std::vector<std::uint64_t>(values.begin(), values.end()), Shape{n}, device);
    EXPECT_EQ(cumulative_sum(a).to_vector<std::int64_t>(), std::vector<std::int64_t>(sum.begin(), sum.end())) << n;
    EXPECT_EQ(cumulative_sum(b).to_vector<std::uint64_t>(), sum) << n;
    EXPECT_EQ(cumulative_prod(b).to_vector<std::uint64_t>(), product) << n;
  }
  const Array truth = Array::from({true, false, true, true}, Shape{4}, device);
  EXPECT_EQ(cumulative_sum(truth).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 1, 2, 3}));
  EXPECT_EQ(cumulative_sum(truth, {}, {}, true).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 1, 2, 3}));
  EXPECT_EQ(cumulative_prod(truth, {}, DType::int8, true).to_vector<std::int8_t>(),
            (std::vector<std::int8_t>{1, 1, 0, 0, 0}));
}

template <class T>
void expect_running_sums(const Device& device, const Shape& shape, std::size_t axis) {
  const std::vector<T> values = random_values<T>(shape.size(), 5);
  const Array a = array_of(values, shape, device);
  const Array running = cumulative_sum(a, static_cast<int>(axis));
  const std::vector<T> got = running.template to_vector<T>();
  for_each_axis(shape, axis, [&](const std::vector<std::size_t>& places) {
    double sum = 0, size = 0;
    for (const std::size_t place : places) {
      sum += static_cast<double>(values[place]);
      size += std::abs(static_cast<double>(values[place]));
      const double allowed = 30 * static_cast<double>(std::numeric_limits<T>::epsilon()) * size;
      ASSERT_NEAR(static_cast<double>(got[place]), sum, allowed) << place;
    }
  });
  const Array again = cumulative_sum(array_of(values, shape, Device("cpu")), static_cast<int>(axis));
  const std::vector<T> on_cpu = again.template to_vector<T>();
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_TRUE(same_bits(got[i], on_cpu[i])) << i;
}

TEST_P(Sorting, RunningSumsOfFloatsHaveTheBitsOfTheCpu) {
  const Device device = OnEveryDevice::device();
  for (const std::int64_t n : {1, 2, 16, 17, 255, 256, 257, 4095, 4096, 4097, 70001}) {
    expect_running_sums<float>(device, Shape{n}, 0);
    if (device.info().double_precision) expect_running_sums<double>(device, Shape{n}, 0);
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    expect_running_sums<float>(device, Shape{3, 40, 5}, axis);
    expect_running_sums<float>(device, Shape{2, 9000, 3}, axis);
  }
}

// Totals of totals: two levels of scratch memory.
TEST_P(Sorting, RunningSumsOfAVeryLongAxis) {
  const Device device = OnEveryDevice::device();
  expect_running_sums<float>(device, Shape{(1 << 24) + 4097}, 0);
}

TEST_P(Sorting, RunningSumsWithInitialAndGradients) {
  const Device device = OnEveryDevice::device();
  Array a = Array::from({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}, Shape{2, 3}, device);
  EXPECT_EQ(cumulative_sum(a, 1, {}, true).to_vector<float>(), (std::vector<float>{0, 1, 3, 6, 0, 4, 9, 15}));
  EXPECT_EQ(cumulative_prod(a, 0).to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 10, 18}));
  const Array weights = Array::from({1.0F, 10.0F, 100.0F, 2.0F, 20.0F, 200.0F}, Shape{2, 3}, device);
  a.requires_grad();
  sum(cumulative_sum(a, 1) * weights).backward();
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{111, 110, 100, 222, 220, 200}));
  a.set_grad({});
  sum(cumulative_prod(a, 1) * weights).backward();
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{621, 310, 200, 2 + 100 + 6000, 80 + 4800, 4000}));
  a.set_grad({});
  sum(sort(a, 1, true) * weights).backward();
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{100, 10, 1, 200, 20, 2}));
  // What follows a scan is computed by an operation of its own.
  EXPECT_EQ((cumulative_sum(a * 2.0F, 1) + 1.0F).to_vector<float>(), (std::vector<float>{3, 7, 13, 9, 19, 31}));
}

TEST_P(Sorting, HalfPrecisionIsAddedUpInFloat) {
  const Device device = OnEveryDevice::device();
  const Array a = astype(full(Shape{3000}, 1.0F, device), DType::float16);
  EXPECT_EQ(static_cast<float>(cumulative_sum(a).to_vector<float16>().back()), 3000.0F);
}

}  // namespace
}  // namespace overtake::oracle
