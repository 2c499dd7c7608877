// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "forest/problem/binning.hpp"
#include "forest/problem/find_edges.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

BinnedData bin_one(const std::vector<float>& column, int max_bins = 256) {
  return bin_features(column, static_cast<std::int64_t>(column.size()), 1, max_bins, 1);
}

std::vector<std::int32_t> bins_of(const BinnedData& data, std::int32_t feature = 0) {
  std::vector<std::int32_t> bins;
  for (std::int64_t row = 0; row < data.rows; ++row) bins.push_back(data.bin(row, feature));
  return bins;
}

/// What holds of every binning: each value lies in its bin's edges, edges ascend and are values of the data.
void expect_consistent(const BinnedData& data, const std::vector<float>& inputs) {
  const BinEdges& edges = data.edges;
  for (std::int32_t f = 0; f < edges.features; ++f) {
    std::vector<float> values;
    bool has_missing = false;
    for (std::int64_t row = 0; row < data.rows; ++row) {
      const float value = inputs[static_cast<std::size_t>(row * edges.features + f)];
      const std::int32_t bin = data.bin(row, f);
      if (std::isnan(value)) {
        has_missing = true;
        ASSERT_EQ(bin, edges.bins(f));
        continue;
      }
      values.push_back(value);
      ASSERT_LT(bin, edges.bins(f));
      ASSERT_LE(edges.lower[edges.first[f] + bin], value);
      ASSERT_GE(edges.upper[edges.first[f] + bin], value);
    }
    EXPECT_EQ(edges.has_missing[f] != 0, has_missing);
    std::sort(values.begin(), values.end());
    const auto occurs = [&](float value) { return std::binary_search(values.begin(), values.end(), value); };
    for (std::int32_t bin = edges.first[f]; bin < edges.first[f + 1]; ++bin) {
      EXPECT_TRUE(occurs(edges.lower[bin]) && occurs(edges.upper[bin]));
      EXPECT_LE(edges.lower[bin], edges.upper[bin]);
      if (bin > edges.first[f]) {
        EXPECT_LT(edges.upper[bin - 1], edges.lower[bin]);
      }
    }
  }
}

TEST(ForestBinning, FewValuesHaveABinEach) {
  const BinnedData data = bin_one({3, -1, 3, missing, 0.5F, -1});
  EXPECT_THAT(bins_of(data), ElementsAre(2, 0, 2, 3, 1, 0));
  EXPECT_THAT(data.edges.lower, ElementsAre(-1, 0.5F, 3));
  EXPECT_EQ(data.edges.lower, data.edges.upper);
  EXPECT_EQ(data.edges.inexact, 0);
  EXPECT_EQ(data.edges.widest(), 4);
  EXPECT_FALSE(data.wide);
  EXPECT_EQ(data.stride, 4);
  EXPECT_EQ(data.bytes.size(), 24U);
  EXPECT_EQ(data.bytes[1], 0) << "padding";
}

TEST(ForestBinning, NearValuesAreTwo) {
  const BinnedData data = bin_one({0.0F, 1e-45F, 0.9e-7F, 1e-3F, -0.0F, 1000.0F, std::nextafterf(1000.0F, 2000.0F)});
  EXPECT_THAT(bins_of(data), ElementsAre(0, 1, 2, 3, 0, 4, 5)) << "both zeros are one";
}

/// Some shapes of columns: even, skewed, with values far from the others.
std::vector<std::vector<float>> shapes() {
  std::mt19937 random(11);
  const auto share = [&] { return static_cast<float>(random() % 8388608) / 8388608.0F; };
  std::vector<std::vector<float>> columns(4);
  for (int i = 0; i < 20000; ++i) {
    columns[0].push_back(share() - 0.25F);
    columns[1].push_back(std::exp(10 * share()));
    columns[2].push_back(i % 500 == 0 ? -999.0F : i % 499 == 0 ? 99999.0F : share());
    columns[3].push_back(i % 7 == 0 ? missing : std::floor(200 * share()));
  }
  return columns;
}

TEST(ForestBinning, PowersOfTwoChangeNothing) {
  for (const std::vector<float>& column : shapes()) {
    for (const int max_bins : {16, 256, 4000}) {
      const BinnedData expected = bin_one(column, max_bins);
      for (const int power : {-100, -31, -1, 3, 64, 110}) {
        std::vector<float> scaled;
        for (const float value : column) scaled.push_back(std::ldexp(value, power));
        const BinnedData data = bin_one(scaled, max_bins);
        EXPECT_EQ(bins_of(data), bins_of(expected)) << max_bins << " bins, 2^" << power;
        ASSERT_EQ(data.edges.lower.size(), expected.edges.lower.size());
        for (std::size_t bin = 0; bin < data.edges.lower.size(); ++bin) {
          EXPECT_EQ(data.edges.lower[bin], std::ldexp(expected.edges.lower[bin], power));
        }
      }
    }
  }
}

TEST(ForestBinning, SubnormalValuesAreDistinct) {
  std::vector<float> column;
  for (int i = 0; i < 200; ++i) column.push_back(std::ldexp(static_cast<float>(i), -149));
  const BinnedData data = bin_one(column);
  EXPECT_EQ(data.edges.bins(0), 200);
  EXPECT_EQ(data.bin(57, 0), 57);
}

/// Whether the value shares its bin with no other.
bool is_alone(const BinnedData& data, float value) {
  for (std::int32_t bin = 0; bin < data.edges.bins(0); ++bin) {
    if (data.edges.lower[bin] == value && data.edges.upper[bin] == value) return true;
  }
  return false;
}

TEST(ForestBinning, RareValuesFarFromAllOthersHaveTheirOwnBins) {
  std::mt19937 random(2);
  for (const int every : {40, 100, 500, 9000}) {
    for (const std::vector<float>& far :
         {std::vector<float>{-999}, {99999}, {-999, 99999}, {9997, 9998, 9999}, {-3e38F, 5}}) {
      for (const int max_bins : {32, 256}) {
        SCOPED_TRACE("one in " + std::to_string(every) + ", " + std::to_string(max_bins) + " bins");
        std::vector<float> column;
        for (int i = 0; i < 50000; ++i) column.push_back(static_cast<float>(random() % 1000000) / 1e6F);
        for (std::size_t i = 0; i < column.size(); i += static_cast<std::size_t>(every)) {
          column[i] = far[i / static_cast<std::size_t>(every) % far.size()];
        }
        const BinnedData data = bin_one(column, max_bins);
        expect_consistent(data, column);
        const bool all_rare = every > 100 || far.size() == 1;
        for (const float value : far) {
          EXPECT_TRUE(is_alone(data, value) || !all_rare) << value;
        }
        EXPECT_GE(data.edges.bins(0), max_bins - 12) << "the others have the rest";
      }
    }
  }
}

TEST(ForestBinning, ALoneValueBetweenTwoGroupsHasItsOwnBin) {
  std::vector<float> column;
  for (int i = 0; i < 20000; ++i) column.push_back((i % 2 == 0 ? 1.0F : -2.0F) + static_cast<float>(i) / 20000.0F);
  column[777] = 0;
  EXPECT_TRUE(is_alone(bin_one(column, 64), 0));
}

TEST(ForestBinning, DistinctValuesAreCounted) {
  EXPECT_THAT(bin_one({1, 2, missing, 2, 0.0F, -0.0F}).edges.distinct, ElementsAre(3));
  std::vector<float> many;
  for (int i = 0; i < 6000; ++i) many.push_back(static_cast<float>(i % 3000));
  EXPECT_THAT(bin_one(many).edges.distinct, ElementsAre(3000));
}

TEST(ForestBinning, ColumnsOfNothingAndOfOneValue) {
  const std::vector<float> inputs = {missing, 5, missing, 5, missing, 5};
  const BinnedData data = bin_features(inputs, 3, 2, 256, 1);
  EXPECT_EQ(data.edges.bins(0), 0);
  EXPECT_EQ(data.edges.bins(1), 1);
  EXPECT_THAT(bins_of(data, 0), ElementsAre(0, 0, 0));
  EXPECT_EQ(data.edges.has_missing, (std::vector<std::uint8_t>{1, 0}));
  expect_consistent(data, inputs);
  const BinnedData empty = bin_features({}, 0, 2, 256, 1);
  EXPECT_EQ(empty.edges.first, (std::vector<std::int32_t>{0, 0, 0}));
}

TEST(ForestBinning, WordsWhereBytesDoNotSuffice) {
  std::vector<float> column(256);
  for (std::size_t i = 0; i < column.size(); ++i) column[i] = static_cast<float>(i);
  EXPECT_FALSE(bin_one(column).wide);
  column.push_back(missing);
  EXPECT_TRUE(bin_one(column).wide) << "256 values and the missing one";
  EXPECT_EQ(bin_one(column).bin(256, 0), 256);
  EXPECT_FALSE(bin_one(column, 255).wide);
  for (int i = 0; i < 70000; ++i) column.push_back(static_cast<float>(i));
  const BinnedData most = bin_one(column, 65535);
  EXPECT_EQ(most.edges.bins(0), 65535);
  EXPECT_EQ(most.bin(256, 0), 65535);
  expect_consistent(most, column);
}

TEST(ForestBinning, QuantilesHoldEquallyManyRows) {
  std::mt19937 random(3);
  std::vector<float> column(10007);
  for (float& value : column) value = std::exp(static_cast<float>(random() % 100000) / 10000.0F);
  const BinnedData data = bin_one(column, 64);
  EXPECT_EQ(data.edges.bins(0), 64);
  EXPECT_EQ(data.edges.inexact, 1);
  expect_consistent(data, column);
  std::vector<int> counts(64);
  for (const std::int32_t bin : bins_of(data)) ++counts[bin];
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GE(*least, 154);
  EXPECT_LE(*most, 159);
}

TEST(ForestBinning, AHeavyValueHasItsOwnBin) {
  std::vector<float> column(5000, 7.0F);
  for (int i = 0; i < 1000; ++i) column.push_back(static_cast<float>(i) / 50);
  const BinnedData data = bin_one(column, 16);
  expect_consistent(data, column);
  const std::int32_t heavy = data.bin(0, 0);
  EXPECT_EQ(data.edges.lower[heavy], 7.0F);
  EXPECT_EQ(data.edges.upper[heavy], 7.0F);
  EXPECT_GE(data.edges.bins(0), 14) << "the other values share the other bins";
}

TEST(ForestBinning, ThreadsDoNotMatter) {
  std::mt19937 random(5);
  std::vector<float> inputs(40000 * 7);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = i % 7 == 2 ? static_cast<float>(random() % 9) : static_cast<float>(random()) / 1e6F;
    if (random() % 50 == 0) inputs[i] = missing;
  }
  const BinnedData one = bin_features(inputs, 40000, 7, 200, 1);
  const BinnedData many = bin_features(inputs, 40000, 7, 200, 5);
  expect_consistent(one, inputs);
  EXPECT_EQ(one.bytes, many.bytes);
  EXPECT_EQ(one.edges.lower, many.edges.lower);
  EXPECT_EQ(one.edges.upper, many.edges.upper);
  EXPECT_EQ(one.edges.first, many.edges.first);
  EXPECT_EQ(one.edges.inexact, 6);
}

TEST(ForestBinning, ManyRowsAreSampledButEdgesAreTrue) {
  const std::int64_t rows = most_sorted_rows + 1001;
  std::vector<float> inputs(static_cast<std::size_t>(rows) * 2);
  std::mt19937 random(9);
  for (std::int64_t row = 0; row < rows; ++row) {
    inputs[static_cast<std::size_t>(2 * row)] = static_cast<float>(random() % 1000000);
    inputs[static_cast<std::size_t>(2 * row) + 1] = row == 77 ? 3.5F : static_cast<float>(random() % 5);
  }
  inputs[2 * 1234] = -1e6F;  // rare values outside and a rare one between
  inputs[2 * 4321] = 5e6F;
  const BinnedData data = bin_features(inputs, rows, 2, 100, 3);
  expect_consistent(data, inputs);
  EXPECT_EQ(data.edges.bins(0), 100);
  EXPECT_EQ(data.edges.lower[0], -1e6F);
  EXPECT_EQ(data.edges.upper[99], 5e6F);
  EXPECT_EQ(data.edges.inexact, 1);
  EXPECT_EQ(data.edges.bins(1), 6) << "few distinct values are all found";
  std::vector<int> counts(100);
  for (std::int64_t row = 0; row < rows; ++row) ++counts[data.bin(row, 0)];
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GT(*least, rows / 100 * 9 / 10);
  EXPECT_LT(*most, rows / 100 * 11 / 10);
}

TEST(ForestBinning, InfiniteValuesAreNamed) {
  try {
    (void)bin_features(std::vector<float>{1, 2, 3, -std::numeric_limits<float>::infinity(), missing, 6}, 3, 2, 256, 1);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("row 1, feature 1"));
  }
  EXPECT_THROW((void)bin_features(std::vector<float>{1, 2, 3}, 2, 2, 256, 1), UsageError);
  EXPECT_THROW((void)bin_one({1}, 1), UsageError);
  EXPECT_THROW((void)bin_one({1}, 65536), UsageError);
}

}  // namespace
}  // namespace overtake::forest
