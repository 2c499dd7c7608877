// SPDX-License-Identifier: MIT
// The out-of-bag score says how many rows it judges, and is a number only where it is defined.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data_support.hpp"
#include "forest_data.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

struct Judged {
  Forest forest;
  ForestReport report;
};

Judged judged(const Dataset& data, int trees, std::optional<CountOrFraction> max_samples = {}) {
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
  parameters.n_estimators = trees;
  parameters.oob_score = true;
  parameters.max_samples = max_samples;
  Judged result;
  result.forest = train_forest(parameters, data, {}, {}, nullptr, &result.report);
  return result;
}

Dataset numbers(std::vector<float> inputs, std::vector<double> targets) {
  Dataset data;
  data.task = Task::regression;
  data.rows = static_cast<std::int64_t>(targets.size());
  data.features = 1;
  data.inputs = std::move(inputs);
  data.targets = std::move(targets);
  return data;
}

TEST(ForestOutOfBag, CountsTheRowsThatAreScored) {
  const Dataset data = made_data({});
  for (const int trees : {1, 2, 3}) {
    const Judged one = judged(data, trees);
    std::int64_t rows = 0, right = 0;
    for (std::size_t row = 0; row < 150; ++row) {
      const double* shares = &one.forest.oob_prediction[3 * row];
      if (std::isnan(shares[0])) continue;
      rows += 1;
      right += std::max_element(shares, shares + 3) - shares == data.labels[row] ? 1 : 0;
    }
    EXPECT_LT(rows, 150);
    EXPECT_EQ(one.forest.oob_rows, rows);
    EXPECT_DOUBLE_EQ(one.forest.oob_score.value(), static_cast<double>(right) / static_cast<double>(rows));
    ASSERT_EQ(one.report.notes.size(), 1U);
    EXPECT_THAT(one.report.notes[0], HasSubstr(std::to_string(rows) + " of 150 rows"));
  }
  const Judged many = judged(data, 60);
  EXPECT_EQ(many.forest.oob_rows, 150);
  EXPECT_TRUE(many.report.notes.empty());
}

TEST(ForestOutOfBag, ConstantTargetsAreMet) {
  const Judged one = judged(numbers({1, 2, 3, 4, 5, 6}, {7.5, 7.5, 7.5, 7.5, 7.5, 7.5}), 50);
  EXPECT_EQ(one.forest.oob_score, 1.0);
}

TEST(ForestOutOfBag, WithoutRowsThereIsNoScore) {
  const Judged one = judged(numbers({1}, {3}), 3);
  EXPECT_EQ(one.forest.oob_rows, 0);
  EXPECT_FALSE(one.forest.oob_score.has_value());
  EXPECT_EQ(one.forest.oob_prediction.size(), 1U);
  EXPECT_THAT(one.report.notes, ::testing::Contains(HasSubstr("no out-of-bag score")));
}

TEST(ForestOutOfBag, ASingleNumberHasNoR2) {
  // Of two rows one tree leaves out one at most.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::regression);
    parameters.n_estimators = 1;
    parameters.oob_score = true;
    parameters.random_state = seed;
    ForestReport report;
    const Forest forest = train_forest(parameters, numbers({1, 2}, {3, 5}), {}, {}, nullptr, &report);
    EXPECT_LE(forest.oob_rows, 1);
    EXPECT_FALSE(forest.oob_score.has_value());
    EXPECT_FALSE(report.notes.empty());
  }
}

TEST(ForestOutOfBag, RowsAreReadBackFromAFile) {
  const TempFolder folder;
  const Forest forest = judged(made_data({}), 2).forest;
  save_forest(folder / "f", forest);
  EXPECT_EQ(load_forest(folder / "f").forest, forest);
}

}  // namespace
}  // namespace overtake::test
