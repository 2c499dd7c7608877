// SPDX-License-Identifier: MIT
// What long arrays are done with in another way than short ones: places of extremes, bins of equal width, and memory
// for what lies between.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "oracle/devices.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class LongRows : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, LongRows, ::testing::ValuesIn(list_devices()), device_name);

template <class T>
std::int64_t place_of(const std::vector<T>& values, bool largest) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != values[i]) return static_cast<std::int64_t>(i);
  }
  const auto found =
      largest ? std::max_element(values.begin(), values.end()) : std::min_element(values.begin(), values.end());
  return found - values.begin();
}

template <class T>
void expect_places(std::vector<T> values, const Device& device) {
  const auto n = static_cast<std::int64_t>(values.size());
  const Array a = Array::from(values, Shape{n}, device);
  ASSERT_EQ(argmax(a).item<std::int64_t>(), place_of(values, true)) << n;
  ASSERT_EQ(argmin(a).item<std::int64_t>(), place_of(values, false)) << n;
  const Array kept = argmax(reshape(a, {1, n, 1}), 1, true);
  ASSERT_EQ(kept.shape(), (Shape{1, 1, 1}));
  ASSERT_EQ(kept.item<std::int64_t>(), place_of(values, true));
}

TEST_P(LongRows, FirstPlacesOfExtremes) {
  std::mt19937 random(std::random_device{}());
  for (const std::size_t n : {65536UL, 65537UL, 200000UL, (1UL << 18U) + 16384UL}) {
    std::vector<float> values(n);
    std::vector<std::int32_t> whole(n);
    std::vector<std::int8_t> few(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = std::uniform_real_distribution<float>(-1, 1)(random);
      whole[i] = static_cast<std::int32_t>(random());
      few[i] = static_cast<std::int8_t>(random() % 5);  // the same extremes everywhere
    }
    expect_places(values, device());
    expect_places(whole, device());
    expect_places(few, device());
    for (const std::size_t place : {std::size_t{0}, n - 1, std::size_t{random() % n}}) {
      std::vector<float> marked = values;
      marked[place] = 2;
      expect_places(marked, device());
      marked[random() % n] = std::numeric_limits<float>::quiet_NaN();
      marked[n - 1] = std::numeric_limits<float>::quiet_NaN();
      expect_places(marked, device());
    }
    expect_places(std::vector<float>(n, -std::numeric_limits<float>::infinity()), device());
  }
}

// By the definition: edges[k] <= value < edges[k + 1], the last edge included.
std::vector<std::int64_t> counted(const std::vector<float>& values, const std::vector<float>& edges) {
  std::vector<std::int64_t> counts(edges.size() - 1, 0);
  for (const float value : values) {
    if (!(value >= edges.front() && value <= edges.back())) continue;
    const auto above = std::upper_bound(edges.begin(), edges.end(), value);
    const std::ptrdiff_t bin = above == edges.end() ? above - edges.begin() - 2 : above - edges.begin() - 1;
    ++counts[static_cast<std::size_t>(bin)];
  }
  return counts;
}

TEST_P(LongRows, EvenBinsAreThoseOfTheirEdges) {
  std::mt19937 random(std::random_device{}());
  for (int trial = 0; trial < 12; ++trial) {
    const auto bins = static_cast<std::int64_t>(trial % 3 == 0 ? 65536 : 1 + random() % 700);
    const double low = std::uniform_real_distribution<>(-100, 100)(random);
    const double high = low + std::exp(std::uniform_real_distribution<>(-3, 8)(random));
    const Array edge_array = histogram(zeros(Shape{1}, device()), bins, std::pair(low, high)).edges;
    const std::vector<float> edges = edge_array.to_vector<float>();
    std::vector<float> values;
    for (int i = 0; i < 20000; ++i) {
      // Edges themselves and their neighbours are where rounding would show.
      const float edge = edges[random() % edges.size()];
      values.push_back(edge);
      values.push_back(std::nextafter(edge, i % 2 == 0 ? 1e30F : -1e30F));
      values.push_back(static_cast<float>(std::uniform_real_distribution<>(low - 1, high + 1)(random)));
    }
    values.push_back(std::numeric_limits<float>::quiet_NaN());
    values.push_back(std::numeric_limits<float>::infinity());
    const Array a = Array::from(values, Shape{static_cast<std::int64_t>(values.size())}, device());
    const std::vector<std::int64_t> counts = histogram(a, bins, std::pair(low, high)).counts.to_vector<std::int64_t>();
    ASSERT_EQ(counts, counted(values, edges)) << bins << " bins from " << low << " to " << high;
  }
}

TEST_P(LongRows, PlansThatAreKeptHoldNoLargeMemory) {
  const Device device = LongRows::device();
  constexpr std::uint64_t room = std::uint64_t{96} << 20U;
  device.set_memory_limit(device.memory_held() + room);
  constexpr std::int64_t n = 1 << 21;
  for (int i = 0; i < 10; ++i) {
    // Each a plan of its own, with intermediate results of 8 MiB: all of them would not fit.
    const Array a = full(Shape{n}, 0.5F, DType::float32, device);
    Array sums = a;
    for (int k = 0; k <= i; ++k) sums = cumulative_sum(sums * 0.25F);
    ASSERT_GT(sum(sums).item<float>(), 0) << i;
  }
  device.set_memory_limit(0);
}

}  // namespace
}  // namespace overtake::oracle
