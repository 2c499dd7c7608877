// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "core/sample_weights.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/sampling.hpp"
#include "forest/problem/targets.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double capacity_for_sums = 4611686018427387904.0;  // 2^62
constexpr double capacity_for_weights = 2147483648.0;        // 2^31

Dataset classes(std::vector<std::int32_t> labels, std::int32_t count) {
  Dataset data;
  data.rows = static_cast<std::int64_t>(labels.size());
  data.features = 1;
  data.classes = count;
  data.labels = std::move(labels);
  data.inputs.resize(data.labels.size());
  return data;
}

Dataset numbers(std::vector<double> values) {
  Dataset data;
  data.task = Task::regression;
  data.rows = static_cast<std::int64_t>(values.size());
  data.features = 1;
  data.targets = std::move(values);
  data.inputs.resize(data.targets.size());
  return data;
}

std::vector<std::int32_t> all_rows(const Dataset& data) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(data.rows));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

template <typename Exception>
std::string complaint_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Exception& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return {};
}

TEST(ForestTargets, Labels) {
  const Targets targets = make_targets(classes({0, 2, 1}, 3), Criterion::gini);
  EXPECT_EQ(targets.classes, 3);
  EXPECT_THAT(targets.labels, ElementsAre(0, 2, 1));
  EXPECT_TRUE(targets.values.empty());
}

TEST(ForestTargets, Numbers) {
  const std::vector<double> values = {1e99, -3.25, 0};
  EXPECT_EQ(make_targets(numbers(values), Criterion::squared_error).values, values);
  EXPECT_FALSE(std::signbit(make_targets(numbers({-0.0}), Criterion::squared_error).values[0])) << "one zero for all";
}

// The whole numbers of a node: as fine as sums in 62 bits allow, whatever its weight and its targets' size.
TEST(ForestTargets, NumbersOfANodeFillTheirBits) {
  for (const double low : {-1e100, -1e9, 0.0, 1e-30, 7.0}) {
    for (const double range : {1e-40, 1e-9, 0.75, 1.0, 12345.6, 1e30, 1e100}) {
      for (const std::uint32_t weight : {1U, 2U, 3U, 1000U, 2147483647U}) {
        const double high = low + range;
        if (!(high > low)) continue;
        const double scale = formulas::forest_scale(low, high, weight);
        EXPECT_EQ(std::exp2(std::ilogb(scale)), scale);
        EXPECT_EQ(formulas::forest_number(low, low, scale), 0);
        const double most = static_cast<double>(formulas::forest_number(high, low, scale)) * weight;
        EXPECT_LE(most, capacity_for_sums / 2);
        EXPECT_GE(most, capacity_for_sums / 16) << "bits are wasted";
        for (const double share : {0.0, 0.1234567, 0.9, 1.0}) {  // the mean of one target is the target
          const double target = low + share * (high - low);
          const std::int64_t number = formulas::forest_number(target, low, scale);
          const std::int64_t fine = formulas::forest_fine(target, low, scale, number);
          EXPECT_NEAR(formulas::forest_mean(low, scale, number, fine, 1), target,
                      1e-15 * ((high - low) + std::fabs(low) + std::fabs(high)));
        }
      }
    }
  }
  EXPECT_EQ(formulas::forest_scale(5, 5, 9), 1);
}

TEST(ForestTargets, BadAnswersAreNamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto complaint = [](const Dataset& data, Criterion criterion) {
    return complaint_of<DataError>([&] { (void)make_targets(data, criterion); });
  };
  EXPECT_THAT(complaint(classes({0, 3}, 3), Criterion::gini), HasSubstr("row 1 has label 3"));
  EXPECT_THAT(complaint(classes({-1}, 3), Criterion::gini), HasSubstr("row 0"));
  EXPECT_THAT(complaint(numbers({1, nan}), Criterion::squared_error), HasSubstr("row 1 is missing"));
  EXPECT_THAT(complaint(numbers({1, INFINITY}), Criterion::squared_error), HasSubstr("row 1 is infinite"));
  EXPECT_THAT(complaint(numbers({1, 2, -1e101}), Criterion::squared_error), HasSubstr("row 2 is -1e+101"));
  EXPECT_THAT(complaint(numbers({1, -2}), Criterion::poisson), HasSubstr("row 1 is -2"));
  EXPECT_THAT(complaint(numbers({0, 0}), Criterion::poisson), HasSubstr("positive sum"));
  Dataset unknown = classes({0, 1}, 2);
  unknown.labels.clear();
  EXPECT_THAT(complaint(unknown, Criterion::gini), HasSubstr("0 labels"));
}

TEST(ForestWeights, AllOne) {
  const Dataset data = classes({0, 1, 1}, 2);
  const auto rows = all_rows(data);
  for (const std::int64_t draws : {0, 3, 7}) {
    const Weights weights = make_weights(data, {rows, draws}, {}, {}, {});
    EXPECT_TRUE(weights.row.empty());
    EXPECT_EQ(weights.scale, 1);
  }
  const std::vector<float> ones(3, 1.0F);
  EXPECT_TRUE(make_weights(data, {rows, 3}, ones, {}, {}).row.empty());
}

TEST(ForestWeights, WholeWeightsStayExact) {
  const Dataset data = numbers({1, 2, 3});
  const auto rows = all_rows(data);
  const std::vector<float> sample = {2, 0, 5};
  const Weights weights = make_weights(data, {rows, 0}, sample, {}, {});
  EXPECT_THAT(weights.row, ElementsAre(2, 0, 5));
  EXPECT_EQ(weights.scale, 1);
}

TEST(ForestWeights, BalancedCountsTheTrainingRows) {
  const Dataset data = classes({0, 0, 0, 1, 2, 2, 1}, 4);
  const std::vector<std::int32_t> train = {0, 1, 2, 3, 4};  // counts 3, 1, 1 and none of class 3
  ClassWeight balanced;
  balanced.kind = ClassWeight::Kind::balanced;
  const Weights weights = make_weights(data, {train, 0}, {}, balanced, {});
  EXPECT_THAT(weights.row, ElementsAre(DoubleEq(5.0 / 9), DoubleEq(5.0 / 9), DoubleEq(5.0 / 9), DoubleEq(5.0 / 3),
                                       DoubleEq(5.0 / 3), 1, 1));
  EXPECT_FALSE(weights.balance_each_tree);
  const std::vector<float> sample = {1, 2, 1, 1, 1, 1, 1};
  EXPECT_DOUBLE_EQ(make_weights(data, {train, 0}, sample, balanced, {}).row[1], 10.0 / 9)
      << "the classes' factors count rows, as in scikit-learn";

  ClassWeight subsample;
  subsample.kind = ClassWeight::Kind::balanced_subsample;
  EXPECT_EQ(make_weights(data, {train, 0}, {}, subsample, {}).row, weights.row) << "without bootstrap";
  const Weights each = make_weights(data, {train, 5}, {}, subsample, {});
  EXPECT_TRUE(each.balance_each_tree);
  EXPECT_TRUE(each.row.empty());
}

TEST(ForestWeights, GivenClassWeights) {
  const Dataset data = classes({0, 1, 2}, 3);
  const auto rows = all_rows(data);
  ClassWeight given;
  given.kind = ClassWeight::Kind::given;
  given.given = {{"cat", 2}, {"dog", 0.5}};
  const std::vector<std::string> names = {"cat", "cow", "dog"};
  EXPECT_THAT(make_weights(data, {rows, 0}, {}, given, names).row, ElementsAre(2, 1, 0.5));
  given.given = {{"2", 3}};
  EXPECT_THAT(make_weights(data, {rows, 0}, {}, given, {}).row, ElementsAre(1, 1, 3)) << "classes without names";
  given.given = {{"caat", 2}};
  EXPECT_THAT(complaint_of<UsageError>([&] {
                (void)make_weights(data, {rows, 0}, {}, given, names);
              }),
              HasSubstr("Did you mean cat?"));
}

/// Weights of all trees of a forest stay below 2^31.
void expect_bounded(const Dataset& data, const std::vector<float>& sample, const ClassWeight& class_weight,
                    std::int64_t draws) {
  Problem problem;
  const auto rows = all_rows(data);
  const TrainingRows training{rows, draws};
  problem.weights.push_back(make_weights(data, training, sample, class_weight, {}));
  problem.folds.push_back({rows, {}});
  problem.targets.classes = data.classes;
  problem.targets.labels = data.labels;
  EXPECT_EQ(std::exp2(std::ilogb(problem.weights[0].scale)), problem.weights[0].scale);
  ForestJob job;
  job.bootstrap = draws > 0;
  job.draws = draws;
  double most = 0;
  for (std::int32_t tree = 0; tree < 20; ++tree) {
    double total = 0;
    for (const std::uint32_t weight : tree_weights(problem, job, tree)) total += weight;
    most = std::max(most, total);
  }
  EXPECT_LT(most, capacity_for_weights);
  EXPECT_GT(most, capacity_for_weights / 64) << "bits are wasted";
}

TEST(ForestWeights, TreesStayBelowTheBound) {
  std::mt19937 random(8);
  std::vector<std::int32_t> labels(20000);
  std::vector<float> sample(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = random() % 50 == 0 ? 1 : 0;
    sample[i] = 0.001F + static_cast<float>(random() % 1000) / 333;
  }
  const Dataset data = classes(labels, 2);
  for (const ClassWeight& weight : {ClassWeight(), ClassWeight("balanced")}) {
    for (const std::int64_t draws : {0, 500, 20000}) {
      SCOPED_TRACE(draws);
      expect_bounded(data, sample, weight, draws);
    }
  }
  for (const std::int64_t draws : {500, 20000}) {
    expect_bounded(data, sample, "balanced_subsample", draws);
  }
}

TEST(ForestWeights, RowsThatWeighLittleAreStillThere) {
  const Dataset data = numbers(std::vector<double>(1000, 1));
  const auto rows = all_rows(data);
  std::vector<float> sample(1000, 1.0F);
  for (std::size_t row = 0; row < sample.size(); ++row)
    sample[row] = row % 10 == 3 ? 1e-9F : row % 10 == 4 ? 0.0F : 1.0F;
  Problem problem;
  problem.weights.push_back(make_weights(data, {rows, 0}, sample, {}, {}));
  problem.folds.push_back({rows, {}});
  ForestJob job;
  job.bootstrap = false;
  const std::vector<std::uint32_t> weights = tree_weights(problem, job, 0);
  EXPECT_EQ(weights[3], 1U);
  EXPECT_EQ(weights[4], 0U);
  EXPECT_EQ(weights[5], problem.weights[0].scale);
  EXPECT_EQ(count_too_light(problem.weights[0], rows), 100);
  sample.assign(1000, 0.3F);
  EXPECT_EQ(count_too_light(make_weights(data, {rows, 0}, sample, {}, {}), rows), 0);
}

TEST(ForestWeights, BadWeightsAreNamed) {
  const Dataset data = numbers({1, 2});
  const auto rows = all_rows(data);
  const auto complaint = [&](const std::vector<float>& sample) {
    return complaint_of<DataError>([&] { (void)make_weights(data, {rows, 2}, sample, {}, {}); });
  };
  EXPECT_THAT(complaint_of<UsageError>([&] { check_sample_weights(std::vector<float>{1}, 2); }),
              HasSubstr("1 numbers for 2 rows"));
  EXPECT_THAT(complaint({1, -1}), HasSubstr("row 1 is -1"));
  EXPECT_THAT(complaint({std::numeric_limits<float>::quiet_NaN(), 1}), HasSubstr("row 0"));
  EXPECT_THAT(complaint({0, 0}), HasSubstr("0"));
  EXPECT_NE(complaint_of<UsageError>([&] { (void)make_weights(data, {rows, 2}, {}, "balanced", {}); }), "");
}

}  // namespace
}  // namespace overtake::forest
