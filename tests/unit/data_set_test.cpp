// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data_support.hpp"
#include "overtake/data/dataset.hpp"

namespace overtake {
namespace {

using test::expect_error;
using Ints = std::vector<std::int32_t>;

/// All indices of a split, sorted: must be 0 .. rows - 1.
void expect_partition(const Split& split, std::int32_t rows) {
  Ints all = split.training;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), static_cast<std::size_t>(rows));
  for (std::int32_t i = 0; i < rows; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
}

TEST(Split, SizesSeedAndPartition) {
  const Split split = split_rows(150, 0.2, 3);
  EXPECT_EQ(split.validation.size(), 30U);
  expect_partition(split, 150);
  EXPECT_EQ(split.training, split_rows(150, 0.2, 3).training);
  EXPECT_NE(split.training, split_rows(150, 0.2, 4).training);
  EXPECT_FALSE(std::is_sorted(split.training.begin(), split.training.end()));
  EXPECT_TRUE(split_rows(5, 0.0, 1).validation.empty());
  EXPECT_EQ(split_rows(2, 0.01, 1).validation.size(), 1U);
  EXPECT_EQ(split_rows(2, 0.99, 1).training.size(), 1U);
  EXPECT_TRUE(split_rows(0, 0.0, 1).training.empty());
}

TEST(Split, RefusesBadFractions) {
  for (const double fraction : {-0.1, 1.0, 2.0, std::nan("")}) {
    EXPECT_THROW((void)split_rows(10, fraction, 1), UsageError) << fraction;
    EXPECT_THROW((void)split_stratified(Ints{0, 0, 1}, 2, fraction, 1), UsageError) << fraction;
  }
  expect_error<UsageError>([] { (void)split_rows(1, 0.2, 1); }, {"1 rows cannot be split"});
  EXPECT_THROW((void)split_stratified(Ints{0, 2}, 2, 0.5, 1), UsageError);
}

TEST(Split, StratifiedKeepsShares) {
  // 100, 31 and 7 rows of three classes, and one row of a fourth.
  Ints labels;
  const Ints sizes = {100, 31, 7, 1};
  for (std::int32_t c = 0; c < 4; ++c)
    labels.insert(labels.end(), static_cast<std::size_t>(sizes[static_cast<std::size_t>(c)]), c);
  const Split split = split_stratified(labels, 4, 0.2, 11);
  expect_partition(split, 139);
  EXPECT_EQ(split.validation.size(), 28U);
  Ints counts(4, 0);
  for (const std::int32_t row : split.validation)
    ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
  for (std::size_t c = 0; c < 3; ++c) EXPECT_LT(std::abs(counts[c] - 0.2 * sizes[c]), 1.0) << c;
  EXPECT_EQ(counts[3], 0);
  // Neither side is grouped by class.
  EXPECT_FALSE(std::is_sorted(split.validation.begin(), split.validation.end()));
  EXPECT_FALSE(std::is_sorted(split.training.begin(), split.training.end()));
}

TEST(Split, StratifiedOnUniqueClassesStillSplits) {
  const Split split = split_stratified(Ints{0, 1, 2, 3}, 4, 0.25, 1);
  EXPECT_EQ(split.validation.size(), 1U);
  expect_partition(split, 4);
}

TEST(Dataset, SelectTakesRowsInOrder) {
  Dataset data;
  data.rows = 3;
  data.features = 2;
  data.classes = 2;
  data.inputs = {0, 1, 10, 11, 20, 21};
  data.labels = {0, 1, 0};
  const Dataset part = select(data, Ints{2, 0, 2});
  EXPECT_EQ(part.rows, 3);
  EXPECT_EQ(part.inputs, (std::vector<float>{20, 21, 0, 1, 20, 21}));
  EXPECT_EQ(part.labels, (Ints{0, 0, 0}));
  EXPECT_EQ(part.classes, 2);
  EXPECT_EQ(select(data, Ints{}).rows, 0);
  EXPECT_THROW((void)select(data, Ints{3}), UsageError);
  EXPECT_THROW((void)select(data, Ints{-1}), UsageError);
}

TEST(Disc, IsStandardisedAndLabelledByTheCircle) {
  const Dataset data = disc(1000, 0);
  ASSERT_EQ(data.inputs.size(), 2000U);
  ASSERT_EQ(data.labels.size(), 1000U);
  EXPECT_EQ(data.classes, 2);
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : data.inputs) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(sum / 2000.0, 0.0, 1e-6);
  EXPECT_NEAR(squares / 1999.0, 1.0, 1e-5);
  // A uniform variable has mean 1/2 and deviation 1/sqrt(12); the sample's differ by a few per cent, so only points
  // clearly inside or outside the circle are checked.
  const double radius = std::sqrt(0.5 * std::numbers::inv_pi);
  int inside = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const double x = data.inputs[2 * i] / std::sqrt(12.0) + 0.5;
    const double y = data.inputs[2 * i + 1] / std::sqrt(12.0) + 0.5;
    const double distance = std::hypot(x, y);
    if (std::abs(distance - radius) > 0.08) {
      EXPECT_EQ(data.labels[i], distance < radius ? 1 : 0) << x << " " << y;
    }
    inside += data.labels[i];
  }
  EXPECT_NEAR(inside, 125, 42);  // the quarter disc has area 1/8; four standard deviations
}

TEST(Disc, SeedDecides) {
  EXPECT_EQ(disc(50, 1).inputs, disc(50, 1).inputs);
  EXPECT_NE(disc(50, 1).inputs, disc(50, 2).inputs);
  EXPECT_EQ(disc(1, 1).inputs.size(), 2U);
  EXPECT_THROW((void)disc(0, 1), UsageError);
  EXPECT_THROW((void)disc(-5, 1), UsageError);
  EXPECT_THROW((void)disc(std::int64_t{1} << 40, 1), UsageError);
}

}  // namespace
}  // namespace overtake
