// SPDX-License-Identifier: MIT
// Scattering, counting and sets against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "oracle/devices.hpp"
#include "oracle/ordering.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

using Places = std::vector<std::int64_t>;

class Scattering : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Scattering, ::testing::ValuesIn(list_devices()), device_name);

Places random_places(std::int64_t n, std::int64_t low, std::int64_t high, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int64_t> draw(low, high - 1);
  Places places;
  for (std::int64_t i = 0; i < n; ++i) places.push_back(draw(random));
  return places;
}

// Places outside are refused on the cpu (Indexing has that), elsewhere left out.
std::int64_t beyond(const Device& device) { return device.id() == "cpu" ? 0 : 2; }

// index_add by the definition, on (outer, rows, columns); sums are taken first, in their order.
template <class T, class Add>
std::vector<T> scattered(std::vector<T> into, const Shape& shape, const Places& places, const std::vector<T>& values,
                         const Add& finish) {
  const std::int64_t n = static_cast<std::int64_t>(places.size());
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    for (std::int64_t r = 0; r < shape[1]; ++r) {
      for (std::int64_t j = 0; j < shape[2]; ++j) {
        std::vector<T> given;
        for (std::int64_t k = 0; k < n; ++k) {
          const std::int64_t place = places[static_cast<std::size_t>(k)];
          if ((place < 0 ? place + shape[1] : place) != r) continue;
          given.push_back(values[static_cast<std::size_t>((o * n + k) * shape[2] + j)]);
        }
        const auto target = static_cast<std::size_t>((o * shape[1] + r) * shape[2] + j);
        if (!given.empty()) into[target] = finish(into[target], given);
      }
    }
  }
  return into;
}

template <class T>
T sum_of(T first, const std::vector<T>& given) {
  T sum{0};
  for (const T value : given) sum = static_cast<T>(sum + value);
  return static_cast<T>(first + sum);
}

template <class T>
void expect_added(const Device& device, const Shape& shape, std::int64_t n) {
  const std::vector<T> into = random_values<T>(shape.size(), 1), values = random_values<T>(shape[0] * n * shape[2], 2);
  const Places places = random_places(n, -shape[1] - beyond(device), shape[1] + beyond(device), 3);
  const Array result = index_add(array_of(into, shape, device), 1, Array::from(places, Shape{n}, device),
                                 array_of(values, Shape{shape[0], n, shape[2]}, device));
  EXPECT_EQ(result.to_vector<T>(), scattered(into, shape, places, values, sum_of<T>));
}

TEST_P(Scattering, IndexAdd) {
  const Device device = OnEveryDevice::device();
  for (const Shape& shape : {Shape{1, 5, 3}, Shape{2, 300, 2}, Shape{1, 70000, 1}, Shape{3, 1, 70}}) {
    for (const std::int64_t n : {1, 7, 257, 3000}) {
      if (shape.size() * n > 10'000'000) continue;
      expect_added<float>(device, shape, n);
      expect_added<std::int32_t>(device, shape, n);
      expect_added<std::int8_t>(device, shape, n);
      expect_added<std::uint64_t>(device, shape, n);
      if (device.info().double_precision) expect_added<double>(device, shape, n);
    }
  }
}

TEST_P(Scattering, IndexPutKeepsTheLast) {
  const Device device = OnEveryDevice::device();
  const Shape shape{2, 40, 3};
  with_every_type(device, [&]<class T>(T) {
    const std::int64_t n = 100;
    const std::vector<T> into = ugly_values<T>(shape.size(), 1), values = ugly_values<T>(shape[0] * n * shape[2], 2);
    const Places places = random_places(n, -40 - 5 * beyond(device), 40 + 5 * beyond(device), 3);
    const std::vector<T> got = index_put(array_of(into, shape, device), 1, Array::from(places, Shape{n}, device),
                                         array_of(values, Shape{2, n, 3}, device))
                                   .template to_vector<T>();
    const auto last = [](T, const std::vector<T>& given) -> T { return given.back(); };
    const std::vector<T> expected = scattered(into, shape, places, values, last);
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_TRUE(same_bits(T(got[i]), T(expected[i]))) << i;
  });
}

TEST_P(Scattering, ShapesBroadcastAndErrors) {
  const Device device = OnEveryDevice::device();
  const Array a = zeros(Shape{4, 2}, device);
  const Array indices = Array::from({0, -1, 0, beyond(device) > 0 ? 7 : -4}, Shape{2, 2}, device);
  const float sum = beyond(device) > 0 ? 3.0F : 4.5F;
  EXPECT_EQ(index_add(a, 0, indices, 1.5F).to_vector<float>(), (std::vector<float>{sum, sum, 0, 0, 0, 0, 1.5F, 1.5F}));
  EXPECT_EQ(index_add(a, 0, zeros(Shape{0}, DType::int64, device), 1.0F).to_vector<float>(),
            std::vector<float>(8, 0.0F));
  EXPECT_THROW((void)index_add(a, 0, indices, ones(Shape{3}, device)), UsageError);
  EXPECT_THROW((void)index_add(a, 0, ones(Shape{2}, device), 1.0F), UsageError);
  EXPECT_THROW((void)index_put(a, 2, indices, 1.0F), UsageError);
  EXPECT_THROW((void)index_add(zeros(Shape{4}, DType::boolean, device), 0, indices, true), UsageError);
}

TEST_P(Scattering, GradientOfTake) {
  const Device device = OnEveryDevice::device();
  for (const Shape& shape : {Shape{2, 9, 3}, Shape{1, 1000, 8}}) {
    const std::int64_t n = 333, rows = shape[1];
    const Places places = random_places(n, -rows, rows, 4);
    const std::vector<float> weights = random_values<float>(shape[0] * n * shape[2], 5);
    Array a = Array::from(random_values<float>(shape.size(), 6), shape, device);
    a.requires_grad();
    const Array taken = take(a, Array::from(places, Shape{n}, device), 1);
    sum(taken * Array::from(weights, Shape{shape[0], n, shape[2]}, device)).backward();
    EXPECT_EQ(a.grad().to_vector<float>(), scattered(std::vector<float>(static_cast<std::size_t>(shape.size())), shape,
                                                     places, weights, sum_of<float>));
  }
}

TEST_P(Scattering, GradientOfTakeAlongAxis) {
  const Device device = OnEveryDevice::device();
  const Shape shape{3, 6, 4}, chosen{3, 50, 4};
  const Places places = random_places(chosen.size(), -6, 6, 4);
  const std::vector<float> weights = random_values<float>(chosen.size(), 5);
  for (const bool one_column : {false, true}) {
    const Array all = Array::from(places, chosen, device);
    const Array indices = one_column ? slice(all, 0, 1, 2) : all;
    Array a = Array::from(random_values<float>(shape.size(), 6), shape, device);
    a.requires_grad();
    sum(take_along_axis(a, indices, 1) * Array::from(weights, chosen, device)).backward();
    std::vector<float> expected(static_cast<std::size_t>(shape.size()));
    for (std::int64_t o = 0; o < 3; ++o) {
      for (std::int64_t k = 0; k < 50; ++k) {
        for (std::int64_t j = 0; j < 4; ++j) {
          const std::int64_t place = places[static_cast<std::size_t>((o * 50 + k) * 4 + (one_column ? 0 : j))];
          const std::int64_t row = place < 0 ? place + 6 : place;
          expected[static_cast<std::size_t>((o * 6 + row) * 4 + j)] +=
              weights[static_cast<std::size_t>((o * 50 + k) * 4 + j)];
        }
      }
    }
    EXPECT_EQ(a.grad().to_vector<float>(), expected);
  }
}

TEST_P(Scattering, GradientsOfScattering) {
  const Device device = OnEveryDevice::device();
  Array a = ones(Shape{3}, device), values = Array::from({1.0F, 2.0F, 3.0F, 4.0F}, Shape{4}, device);
  a.requires_grad();
  values.requires_grad();
  const std::int64_t given = beyond(device) > 0 ? 4 : 3;
  const Array indices = slice(Array::from({0, 2, 0, 9}, Shape{4}, device), 0, given);
  const Array weights = Array::from({5.0F, 6.0F, 7.0F}, Shape{3}, device);
  sum(index_add(a, 0, indices, slice(values, 0, given)) * weights).backward();
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{5, 6, 7}));
  EXPECT_EQ(values.grad().to_vector<float>(), (std::vector<float>{5, 7, 5, 0}));
  a.set_grad({});
  values.set_grad({});
  sum(index_put(a, 0, indices, slice(values, 0, given)) * weights).backward();
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{0, 6, 0}));
  EXPECT_EQ(values.grad().to_vector<float>(), (std::vector<float>{0, 7, 5, 0}));
}

TEST_P(Scattering, Bincount) {
  const Device device = OnEveryDevice::device();
  for (const std::int64_t n : {1, 255, 4097, 70001}) {
    for (const std::int64_t most : {1, 200, 300, 100000}) {
      const Places values = random_places(n, 0, most, 8);
      const std::vector<float> weights = random_values<float>(n, 9);
      Places counts(static_cast<std::size_t>(*std::max_element(values.begin(), values.end()) + 1));
      std::vector<float> sums(counts.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        ++counts[static_cast<std::size_t>(values[i])];
        sums[static_cast<std::size_t>(values[i])] += weights[i];
      }
      const Array a = array_of(values, Shape{n}, device);
      EXPECT_EQ(bincount(a).to_vector<std::int64_t>(), counts);
      EXPECT_EQ(bincount(astype(a, DType::int32), Array::from(weights, Shape{n}, device)).to_vector<float>(), sums);
      counts.resize(counts.size() + 5);
      EXPECT_EQ(bincount(a, {}, static_cast<std::int64_t>(counts.size())).to_vector<std::int64_t>(), counts);
    }
  }
  EXPECT_EQ(bincount(zeros(Shape{0}, DType::int64, device), {}, 2).to_vector<std::int64_t>(), (Places{0, 0}));
  EXPECT_THROW((void)bincount(Array::from({1, -1}, Shape{2}, device)), UsageError);
  EXPECT_THROW((void)bincount(ones(Shape{2}, device)), UsageError);
}

TEST_P(Scattering, HistogramOfNumPy) {
  const Device device = OnEveryDevice::device();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Array a = Array::from({0.0F, 0.5F, 1.0F, 2.0F, 3.0F, 4.0F, -0.1F, 4.1F, nan}, Shape{3, 3}, device);
  const Histogram parts = histogram(a, 4, std::pair{0.0, 4.0});
  EXPECT_EQ(parts.counts.to_vector<std::int64_t>(), (Places{2, 1, 1, 2}));
  EXPECT_EQ(parts.edges.to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
  EXPECT_EQ(histogram(full(Shape{5}, 2.0F, device), 3).counts.to_vector<std::int64_t>(), (Places{0, 5, 0}));
  EXPECT_THROW((void)histogram(a), UsageError);
  EXPECT_THROW((void)histogram(a, 0, std::pair{0.0, 1.0}), UsageError);
  const std::vector<float> values = random_values<float>(70001, 12);
  const Histogram whole = histogram(array_of(values, Shape{70001}, device), 50);
  const std::vector<float> edges = whole.edges.to_vector<float>();
  Places expected(50);
  for (const float value : values) {
    std::size_t bin = 0;
    while (bin + 1 < expected.size() && value >= edges[bin + 1]) ++bin;
    ++expected[bin];
  }
  EXPECT_EQ(whole.counts.to_vector<std::int64_t>(), expected);
}

TEST_P(Scattering, NonzeroAndCompress) {
  const Device device = OnEveryDevice::device();
  for (const Shape& shape : {Shape{1}, Shape{4097}, Shape{30, 70}, Shape{2, 3, 500}, Shape{0, 3}}) {
    with_every_type(device, [&]<class T>(T) {
      const std::vector<T> values = ugly_values<T>(shape.size(), 3);
      std::vector<Places> expected(shape.rank());
      std::vector<T> kept;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (number_of(T(values[i])) == 0) continue;
        kept.push_back(values[i]);
        auto rest = static_cast<std::int64_t>(i);
        for (std::size_t axis = shape.rank(); axis-- > 0; rest /= shape[axis]) {
          expected[axis].push_back(rest % shape[axis]);
        }
      }
      const Array a = array_of(values, shape, device);
      const std::vector<Array> places = nonzero(a);
      for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        ASSERT_EQ(places[axis].to_vector<std::int64_t>(), expected[axis]) << name_of(a.dtype());
      }
      const std::vector<T> got = compress(a, not_equal(a, 0)).template to_vector<T>();
      ASSERT_EQ(got.size(), kept.size());
      for (std::size_t i = 0; i < got.size(); ++i) ASSERT_TRUE(same_bits(T(got[i]), T(kept[i])));
    });
  }
  const Array a = reshape(arange(12, DType::float32, device), {3, 4});
  const Array rows = Array::from({true, false, true}, Shape{3}, device);
  EXPECT_EQ(compress(a, rows).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 8, 9, 10, 11}));
  EXPECT_THROW((void)compress(a, ones(Shape{4}, device)), UsageError);
  EXPECT_THROW((void)nonzero(zeros(Shape{}, device)), UsageError);
}

TEST_P(Scattering, Unique) {
  const Device device = OnEveryDevice::device();
  for (const Shape& shape : {Shape{1}, Shape{257}, Shape{60, 70}, Shape{0, 3}}) {
    with_every_type(device, [&]<class T>(T) {
      const std::vector<T> values = ugly_values<T>(shape.size(), 3);
      const UniqueAll all = unique_all(array_of(values, shape, device));
      const std::vector<T> distinct = all.values.template to_vector<T>();
      const Places first = all.indices.to_vector<std::int64_t>(), counts = all.counts.to_vector<std::int64_t>();
      const Places inverse = all.inverse_indices.to_vector<std::int64_t>();
      ASSERT_EQ(all.inverse_indices.shape(), shape);
      ASSERT_EQ(first.size(), distinct.size());
      Places counted(distinct.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto number = static_cast<std::size_t>(inverse[i]);
        ASSERT_LT(number, distinct.size());
        const auto x = number_of(T(values[i])), y = number_of(T(distinct[number]));
        ASSERT_TRUE(x == y || (x != x && y != y)) << name_of(all.values.dtype()) << i;
        if (counted[number]++ == 0) {
          ASSERT_EQ(first[number], static_cast<std::int64_t>(i));
        }
      }
      ASSERT_EQ(counts, counted);
      for (std::size_t i = 1; i < distinct.size(); ++i) {
        const auto x = number_of(T(distinct[i]));
        ASSERT_TRUE(comes_before(T(distinct[i - 1]), T(distinct[i])) || x != x);
      }
    });
  }
  const Array few = Array::from({3, 1, 3, 2}, Shape{4}, device);
  EXPECT_EQ(unique_values(few).to_vector<std::int32_t>(), (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_EQ(unique_counts(few).counts.to_vector<std::int64_t>(), (Places{1, 1, 2}));
  EXPECT_EQ(unique_inverse(few).inverse_indices.to_vector<std::int64_t>(), (Places{2, 0, 2, 1}));
}

}  // namespace
}  // namespace overtake::oracle
