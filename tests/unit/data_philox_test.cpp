// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "core/philox.hpp"

namespace overtake {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers that the authors of Random123 publish with it (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox::block({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t all = 0xffffffff;
  EXPECT_EQ(philox::block({all, all, all, all}, {all, all}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox::block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, LayoutOfCounterAndKey) {
  const Words words = philox::block({3, 7, 9, 0}, {0x89abcdef, 0x01234567});
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(philox::bits(0x0123456789abcdefULL, 7, 9, 12 + i), words[i]);
}

TEST(Philox, UniformIsTheUpper24Bits) {
  EXPECT_EQ(philox::to_uniform(0), 0.0F);
  EXPECT_EQ(philox::to_uniform(0x80000000U), 0.5F);
  EXPECT_EQ(philox::to_uniform(0xffffffffU), 1.0F - 0x1p-24F);
  EXPECT_EQ(philox::to_uniform(0xffU), 0.0F);
}

TEST(Philox, FillEqualsSingleNumbers) {
  std::vector<float> values(11);
  philox::fill_uniform(values, 42, 1, 2);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], philox::uniform(42, 1, 2, i)) << i;
}

TEST(Philox, UniformHasTheRightMoments) {
  std::vector<float> values(100000);
  philox::fill_uniform(values, 5, 0, 0);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 100000.0;
  double squares = 0.0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  EXPECT_NEAR(mean, 0.5, 0.004);  // four standard errors
  EXPECT_NEAR(squares / 100000.0, 1.0 / 12.0, 0.001);
}

TEST(Philox, PermutationHoldsEveryIndexOnce) {
  for (const int n : {0, 1, 2, 3, 1000}) {
    std::vector<std::int32_t> order = philox::permutation(n, 9, 1, 0);
    ASSERT_EQ(order.size(), static_cast<std::size_t>(n));
    std::sort(order.begin(), order.end());
    for (int i = 0; i < n; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_TRUE(philox::permutation(-1, 9, 1, 0).empty());
}

TEST(Philox, PermutationDependsOnSeedStreamAndCounter) {
  const auto order = philox::permutation(100, 1, 2, 3);
  EXPECT_EQ(order, philox::permutation(100, 1, 2, 3));
  EXPECT_NE(order, philox::permutation(100, 2, 2, 3));
  EXPECT_NE(order, philox::permutation(100, 1, 3, 3));
  EXPECT_NE(order, philox::permutation(100, 1, 2, 4));
}

TEST(Philox, PermutationsOfThreeAreEquallyLikely) {
  std::array<int, 6> counts{};
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const auto order = philox::permutation(3, seed, 0, 0);
    ++counts[static_cast<std::size_t>(order[0] * 2 + (order[1] > order[2] ? 1 : 0))];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);  // four standard deviations
}

}  // namespace
}  // namespace overtake
