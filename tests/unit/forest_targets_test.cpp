// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "forest/sampling.hpp"
#include "forest/targets.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double room_for_sums = 4611686018427387904.0;  // 2^62

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
  const Targets targets = make_targets(classes({0, 2, 1}, 3), Criterion::gini, 3);
  EXPECT_EQ(targets.classes, 3);
  EXPECT_THAT(targets.labels, ElementsAre(0, 2, 1));
  EXPECT_TRUE(targets.numbers.empty());
}

/// The largest sums that weights may make.
void expect_room(const Targets& targets, double total_weight) {
  for (const auto* list : {&targets.numbers, &targets.squares}) {
    double most = 0;
    for (const std::int64_t number : *list) most = std::max(most, std::fabs(static_cast<double>(number)));
    EXPECT_LT(most * total_weight, room_for_sums);
    if (most > 0) {
      EXPECT_GT(most * total_weight, room_for_sums / 16) << "bits are wasted";
    }
  }
  for (const double scale : {targets.scale, targets.square_scale}) EXPECT_EQ(std::exp2(std::ilogb(scale)), scale);
}

TEST(ForestTargets, NumbersAreFixedPoint) {
  for (const float size : {1e-30F, 1e-3F, 1.0F, 1e6F, 1e30F}) {
    for (const double total : {10.0, 1e6, 2147483647.0}) {
      std::mt19937 random(4);
      std::vector<double> values(10);
      for (double& value : values)
        value = static_cast<double>(size) * (static_cast<double>(random() % 2000) - 300) / 700;
      const Targets targets = make_targets(numbers(values), Criterion::squared_error, total);
      EXPECT_EQ(targets.values, values);
      expect_room(targets, total);
      for (std::size_t row = 0; row < values.size(); ++row) {
        const double centred = values[row] - targets.shift;
        EXPECT_NEAR(static_cast<double>(targets.numbers[row]), centred * targets.scale, 0.5);
        EXPECT_NEAR(static_cast<double>(targets.squares[row]), std::pow(centred * targets.square_scale, 2), 0.5);
      }
    }
  }
}

TEST(ForestTargets, WholeNumbersAreExact) {
  const Targets targets = make_targets(numbers({1, 2, 4, 8, 7}), Criterion::squared_error, 5);
  for (std::size_t row = 0; row < 5; ++row) {
    EXPECT_EQ(static_cast<double>(targets.numbers[row]) / targets.scale + targets.shift, targets.values[row]);
  }
  EXPECT_NEAR(targets.shift, 4.4, 1e-6);
}

TEST(ForestTargets, AllTheSame) {
  const Targets targets = make_targets(numbers({3.25F, 3.25F}), Criterion::squared_error, 2);
  EXPECT_EQ(targets.shift, 3.25);
  EXPECT_THAT(targets.numbers, ElementsAre(0, 0));
  EXPECT_THAT(targets.squares, ElementsAre(0, 0));
}

TEST(ForestTargets, PoissonKeepsLogarithms) {
  const std::vector<double> values = {0, 1, 0.5, 20};
  const Targets targets = make_targets(numbers(values), Criterion::poisson, 100);
  EXPECT_EQ(targets.shift, 0);
  expect_room(targets, 100);
  for (std::size_t row = 0; row < values.size(); ++row) {
    const double y = values[row];
    const double expected = y > 0 ? y * std::log(y) : 0;
    EXPECT_NEAR(static_cast<double>(targets.squares[row]) / targets.square_scale, expected, 1e-12 * (1 + expected));
    EXPECT_EQ(static_cast<double>(targets.numbers[row]) / targets.scale, y);
  }
}

TEST(ForestTargets, BadAnswersAreNamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto complaint = [](const Dataset& data, Criterion criterion) {
    return complaint_of<DataError>([&] { (void)make_targets(data, criterion, 10); });
  };
  EXPECT_THAT(complaint(classes({0, 3}, 3), Criterion::gini), HasSubstr("row 1 has label 3"));
  EXPECT_THAT(complaint(classes({-1}, 3), Criterion::gini), HasSubstr("row 0"));
  EXPECT_THAT(complaint(numbers({1, nan}), Criterion::squared_error), HasSubstr("row 1 is missing"));
  EXPECT_THAT(complaint(numbers({1, INFINITY}), Criterion::squared_error), HasSubstr("row 1 is infinite"));
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
    EXPECT_EQ(weight_bound(weights, {rows, draws}), draws == 0 ? 3 : static_cast<double>(draws));
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
  EXPECT_EQ(weight_bound(weights, {rows, 0}), 7);
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

/// Weights of all trees of a forest stay below 2^31 and below the bound.
void expect_bounded(const Dataset& data, const std::vector<float>& sample, const ClassWeight& class_weight,
                    std::int64_t draws) {
  Problem problem;
  const auto rows = all_rows(data);
  const TrainingRows training{rows, draws};
  problem.weights.push_back(make_weights(data, training, sample, class_weight, {}));
  problem.folds.push_back({rows, {}});
  problem.targets.classes = data.classes;
  problem.targets.labels = data.labels;
  const double bound = weight_bound(problem.weights[0], training);
  EXPECT_LT(bound, 2147483648.0);
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
  EXPECT_LE(most, bound);
  EXPECT_GT(most, 2147483648.0 / 64) << "bits are wasted";
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
  for (const auto kind : {ClassWeight::Kind::none, ClassWeight::Kind::balanced}) {
    for (const std::int64_t draws : {0, 500, 20000}) {
      SCOPED_TRACE(draws);
      expect_bounded(data, sample, {kind, {}}, draws);
    }
  }
  Problem problem;
  const auto rows = all_rows(data);
  const TrainingRows training{rows, 20000};
  const Weights each = make_weights(data, training, sample, {ClassWeight::Kind::balanced_subsample, {}}, {});
  EXPECT_LT(weight_bound(each, training), 2147483648.0);
}

TEST(ForestWeights, BadWeightsAreNamed) {
  const Dataset data = numbers({1, 2});
  const auto rows = all_rows(data);
  const auto complaint = [&](const std::vector<float>& sample) {
    return complaint_of<DataError>([&] { (void)make_weights(data, {rows, 2}, sample, {}, {}); });
  };
  EXPECT_THAT(complaint({1}), HasSubstr("1 sample weights for 2 rows"));
  EXPECT_THAT(complaint({1, -1}), HasSubstr("row 1 is -1"));
  EXPECT_THAT(complaint({std::numeric_limits<float>::quiet_NaN(), 1}), HasSubstr("row 0"));
  EXPECT_THAT(complaint({0, 0}), HasSubstr("0"));
  EXPECT_NE(complaint_of<UsageError>([&] {
              (void)make_weights(data, {rows, 2}, {}, {ClassWeight::Kind::balanced, {}}, {});
            }),
            "");
}

}  // namespace
}  // namespace overtake::forest
