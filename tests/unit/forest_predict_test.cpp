// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>

#include "forest_support.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::testing {
namespace {

using ::testing::ElementsAre;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

TEST(ForestPredict, ClassesAndShares) {
  const Forest forest = small_forest();
  const std::vector<float> rows = {2.5F, 9, 3, 1, 3, 2, 3, missing, missing, 2};
  EXPECT_THAT(forest.predict_proba(rows), ElementsAre(0.5, 0.25, 0.25, 0, 0.75, 0.25, 0, 0.25, 0.75, 0, 0.75, 0.25,  //
                                                      0, 0.25, 0.75));
  EXPECT_THAT(forest.predict(rows), ElementsAre(0, 1, 2, 1, 2));
  EXPECT_TRUE(forest.predict({}).empty());
  EXPECT_THROW((void)forest.predict_values(rows), UsageError);
}

TEST(ForestPredict, TheFirstOfEqualSharesWins) {
  Forest forest = small_forest();
  forest.trees.erase(forest.trees.begin());
  EXPECT_THAT(forest.predict(std::vector<float>{1, 1}), ElementsAre(1));
}

TEST(ForestPredict, Numbers) {
  const Forest forest = small_regression();
  EXPECT_THAT(forest.predict_values(std::vector<float>{0, 0, 3, 1, 3, missing, 3, 7}), ElementsAre(0, 1.5, 1.5, 3));
  EXPECT_THROW((void)forest.predict_proba(std::vector<float>{0, 0}), UsageError);
  EXPECT_THROW((void)forest.predict(std::vector<float>{0, 0}), UsageError);
}

TEST(ForestPredict, LeavesAndPaths) {
  const Forest forest = small_forest();
  EXPECT_THAT(forest.apply(std::vector<float>{3, 1, 0, 0}), ElementsAre(3, 0, 1, 0));
  EXPECT_THAT(forest.decision_path(std::vector<float>{3, missing}, 0), ElementsAre(0, 2, 3));
  EXPECT_THAT(forest.decision_path(std::vector<float>{3, 1}, 1), ElementsAre(0));
  EXPECT_THROW((void)forest.decision_path(std::vector<float>{3, 1}, 2), UsageError);
  EXPECT_THROW((void)forest.decision_path(std::vector<float>{3}, 0), UsageError);
}

TEST(ForestPredict, WrongSizesAreRefused) {
  const Forest forest = small_forest();
  EXPECT_THROW((void)forest.predict(std::vector<float>{1, 2, 3}), UsageError);
  EXPECT_THROW((void)Forest().predict(std::vector<float>{1, 2}), UsageError);
}

// Many rows go to several threads and in blocks; each row's result is that of the row alone.
TEST(ForestPredict, ManyRowsAreLikeOne) {
  Forest forest = small_forest();
  for (int i = 0; i < 5; ++i) forest.trees.push_back(forest.trees[static_cast<std::size_t>(i)]);
  std::mt19937 random(2);
  std::vector<float> rows(2 * 20001);
  for (float& value : rows) value = static_cast<float>(random() % 6);
  const std::vector<double> all = forest.predict_proba(rows);
  ASSERT_EQ(all.size(), 3U * 20001);
  for (std::size_t row = 0; row < 20001; row += 97) {
    const std::vector<double> one = forest.predict_proba(std::span(rows).subspan(2 * row, 2));
    EXPECT_EQ(one, std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(3 * row),
                                       all.begin() + static_cast<std::ptrdiff_t>(3 * row + 3)));
  }
}

TEST(ForestEstimators, RefuseBeforeFit) {
  const ForestClassifier classifier;
  EXPECT_THROW((void)classifier.predict(std::vector<float>{1}), UsageError);
  EXPECT_THROW((void)classifier.forest(), UsageError);
  const ForestRegressor regressor;
  EXPECT_THROW((void)regressor.predict(std::vector<float>{1}), UsageError);
}

/// Two clear groups.
Dataset groups(Task task) {
  Dataset data;
  data.task = task;
  data.rows = 40;
  data.features = 1;
  data.classes = task == Task::classification ? 2 : 0;
  for (int row = 0; row < 40; ++row) {
    data.inputs.push_back(static_cast<float>(row));
    if (task == Task::classification) data.labels.push_back(row < 20 ? 0 : 1);
    if (task == Task::regression) data.targets.push_back(row < 20 ? -1.0F : 4.0F);
  }
  return data;
}

TEST(ForestEstimators, FitPredictScore) {
  ForestClassifier classifier;
  classifier.parameters.n_estimators = 20;
  EXPECT_EQ(classifier.fit(groups(Task::classification)).score(groups(Task::classification)), 1.0);
  EXPECT_THAT(classifier.predict(std::vector<float>{-5, 50}), ElementsAre(0, 1));
  EXPECT_EQ(classifier.forest().trees.size(), 20U);
  EXPECT_THROW(classifier.fit(groups(Task::regression)), UsageError);

  ForestRegressor regressor;
  regressor.parameters.n_estimators = 20;
  EXPECT_GT(regressor.fit(groups(Task::regression)).score(groups(Task::regression)), 0.95);
  EXPECT_EQ(regressor.predict(std::vector<float>{0, 39}), (std::vector<double>{-1, 4}));
  Dataset constant = groups(Task::regression);
  for (double& target : constant.targets) target = 4;
  EXPECT_EQ(regressor.score(constant), 0.0);
  EXPECT_EQ(regressor.fit(constant).score(constant), 1.0);
}

TEST(ForestPredict, AnUntrainedForestSaysSo) {
  const Forest forest;
  const std::vector<float> row{1};
  for (const std::function<void()>& predict :
       std::vector<std::function<void()>>{[&] { (void)forest.predict(row); }, [&] { (void)forest.predict_proba(row); },
                                          [&] { (void)forest.predict_values(row); }, [&] { (void)forest.apply(row); },
                                          [&] { (void)forest.decision_path(row, 0); }}) {
    try {
      predict();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("has no trees"));
    }
  }
}

}  // namespace
}  // namespace overtake::testing
