// SPDX-License-Identifier: MIT
// Forests at every scale: features and targets times powers of two, close together, and beside values far away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "forest_data.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Fit fit_of(ForestKind kind, std::int32_t classes, std::int32_t levels) {
  MadeData wanted;
  wanted.rows = 600;
  wanted.features = 4;
  wanted.classes = classes;
  wanted.levels = levels;
  wanted.missing = 0.1;
  const Dataset data = made_data(wanted);
  Fit fit{"", data, ForestParameters::defaults(kind, data.task), {}};
  fit.parameters.n_estimators = 3;
  return fit;
}

/// The column holds whole numbers, so that it can be made as small as floats go.
void scale_column(Dataset& data, std::int64_t column, int power) {
  for (std::int64_t row = 0; row < data.rows; ++row) {
    float& cell = data.inputs[static_cast<std::size_t>(row * data.features + column)];
    cell = std::ldexp(cell, power);
  }
}

void expect_scaled(const Forest& scaled, const Forest& forest, std::int32_t column, int power) {
  ASSERT_EQ(scaled.trees.size(), forest.trees.size());
  for (std::size_t i = 0; i < forest.trees.size(); ++i) {
    const Tree& tree = forest.trees[i];
    Tree expected = tree;
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] == column) expected.threshold[node] = std::ldexp(tree.threshold[node], power);
    }
    EXPECT_EQ(scaled.trees[i], expected) << "tree " << i;
  }
  EXPECT_EQ(scaled.feature_importances, forest.feature_importances);
}

TEST(ForestScale, FeaturesTimesAPowerOfTwo) {
  for (const ForestKind kind : {ForestKind::random_forest, ForestKind::extra_trees}) {
    for (const std::int32_t classes : {0, 3}) {
      for (const std::int32_t levels : {20, 500}) {
        Fit fit = fit_of(kind, classes, levels);
        const Forest forest = fit.train();
        const auto answers =
            classes > 0 ? forest.predict_proba(fit.data.inputs) : forest.predict_values(fit.data.inputs);
        for (const int power : {-149, -130, -60, -1, 7, 60, 118}) {
          SCOPED_TRACE(std::string(name_of(kind)) + " 2^" + std::to_string(power));
          Fit other = fit;
          scale_column(other.data, 1, power);
          const Forest scaled = other.train();
          expect_scaled(scaled, forest, 1, power);
          EXPECT_EQ(classes > 0 ? scaled.predict_proba(other.data.inputs) : scaled.predict_values(other.data.inputs),
                    answers);
        }
      }
    }
  }
}

TEST(ForestScale, TargetsTimesAPowerOfTwo) {
  Fit fit = fit_of(ForestKind::random_forest, 0, 0);
  const Forest forest = fit.train();
  for (const int power : {-120, -1, 40, 150}) {
    Fit other = fit;
    for (double& target : other.data.targets) target = std::ldexp(target, power);
    const Forest scaled = other.train();
    for (std::size_t i = 0; i < forest.trees.size(); ++i) {
      Tree expected = forest.trees[i];
      for (double& value : expected.value) value = std::ldexp(value, power);
      for (double& impurity : expected.impurity) impurity = std::ldexp(impurity, 2 * power);
      EXPECT_EQ(scaled.trees[i], expected) << "2^" << power;
    }
  }
}

TEST(ForestScale, CloseValuesAreToldApart) {
  Dataset data;
  data.rows = 20000;
  data.features = 1;
  data.classes = 2;
  for (int row = 0; row < data.rows; ++row) {
    data.inputs.push_back(static_cast<float>(row) * 5e-8F);
    data.labels.push_back(row / 2500 % 2);
  }
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = 5;
  const std::vector<std::int32_t> labels = train_forest(parameters, data).predict(data.inputs);
  int right = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) right += labels[row] == data.labels[row] ? 1 : 0;
  EXPECT_GT(right, 19800);
}

/// 200 targets from 0 to 1 that follow x0, one of them `far`.
Fit sentinel_fit(double far) {
  MadeData wanted;
  wanted.rows = 200;
  wanted.classes = 0;
  Dataset data = made_data(wanted);
  for (std::int64_t row = 0; row < data.rows; ++row) {
    const double x = static_cast<double>(data.inputs[static_cast<std::size_t>(row * data.features)]);
    data.targets[row] = row == 77 ? far : 0.5 + 0.4 * std::sin(9 * x) + 1e-3 * std::cos(static_cast<double>(row));
  }
  Fit fit{"", data, ForestParameters::defaults(ForestKind::random_forest, Task::regression), {}};
  fit.parameters.n_estimators = 4;
  return fit;
}

constexpr double far_values[] = {99999999.0, -1e9, 1e15, 1e30, 1e90};

TEST(ForestScale, ASentinelLeavesForestsThatCanBeRead) {
  for (const double far : far_values) {
    const Forest forest = sentinel_fit(far).train();
    double sum = 0;
    for (const double importance : forest.feature_importances) {
      EXPECT_GE(importance, 0);
      sum += importance;
    }
    EXPECT_NEAR(sum, 1, 1e-12);
    const auto path = std::filesystem::temp_directory_path() /
                      ("overtake_sentinel_" + std::to_string(std::random_device()()) + ".overtake");
    save_forest(path, forest);
    EXPECT_EQ(load_forest(path).forest, forest);
    std::filesystem::remove(path);
  }
}

/// The variance and mean of the targets at each leaf of the only tree.
TEST(ForestScale, ASentinelCostsTheOthersNothing) {
  for (const double far : far_values) {
    SCOPED_TRACE(far);
    Fit fit = sentinel_fit(far);
    fit.parameters.n_estimators = 1;
    fit.parameters.bootstrap = false;
    const Forest exact = fit.train();
    EXPECT_EQ(exact.predict_values(fit.data.inputs), fit.data.targets) << "a leaf for every row";
    for (const auto& [name, value] : Parameters{{"min_samples_leaf", std::int64_t{5}},
                                                {"max_leaf_nodes", std::int64_t{20}},
                                                {"ccp_alpha", 2e-4},
                                                {"min_impurity_decrease", 2e-4}}) {
      Fit limited = fit;
      limited.parameters.set(name, value);
      const Forest forest = limited.train();
      const Tree& tree = forest.trees[0];
      EXPECT_GE(leaves_of(tree), 10) << name << ": ordinary values are told apart";
      const std::vector<std::int32_t> leaf_of = forest.apply(fit.data.inputs);
      for (std::int32_t node = 0; node < tree.nodes(); ++node) {
        if (tree.feature[node] >= 0) continue;
        long double mean = 0, square = 0;
        for (std::size_t row = 0; row < leaf_of.size(); ++row) {
          if (leaf_of[row] == node) mean += static_cast<long double>(fit.data.targets[row]) / tree.samples[node];
        }
        for (std::size_t row = 0; row < leaf_of.size(); ++row) {
          const long double apart = static_cast<long double>(fit.data.targets[row]) - mean;
          if (leaf_of[row] == node) square += apart * apart / tree.samples[node];
        }
        EXPECT_NEAR(tree.value[node], static_cast<double>(mean), 1e-12 * std::fabs(static_cast<double>(mean)));
        EXPECT_NEAR(tree.impurity[node], static_cast<double>(square), 1e-9 * static_cast<double>(square));
      }
    }
  }
}

// The row of the sentinel can be split off at the root; what is left must be the tree of the other rows, bit for bit.
TEST(ForestScale, OrdinaryTargetsAreSplitAsWithoutTheSentinel) {
  for (const double far : far_values) {
    Fit with = sentinel_fit(far);
    with.parameters.n_estimators = 1;
    with.parameters.bootstrap = false;
    const auto width = static_cast<std::size_t>(with.data.features);
    for (std::size_t row = 0; row < 200; ++row) with.data.inputs[row * width + 5] = row == 77 ? 1.0F : 0.0F;
    Fit without = with;
    without.data.rows = 199;
    without.data.targets.erase(without.data.targets.begin() + 77);
    const auto cells = without.data.inputs.begin() + 77 * static_cast<std::ptrdiff_t>(width);
    without.data.inputs.erase(cells, cells + static_cast<std::ptrdiff_t>(width));
    for (const std::int64_t depth : {1, 2, 5}) {
      with.parameters.set("max_depth", depth + 1);
      without.parameters.set("max_depth", depth);
      const Forest forest = with.train();
      EXPECT_EQ(forest.trees[0].feature[0], 5);
      EXPECT_EQ(forest.predict_values(without.data.inputs), without.train().predict_values(without.data.inputs));
    }
  }
}

TEST(ForestScale, NotesNameFeaturesAndRows) {
  Fit fit = fit_of(ForestKind::random_forest, 3, 0);
  const auto notes_of = [&](int max_bins, std::vector<std::string> names) {
    fit.parameters.max_bins = max_bins;
    ForestOptions options;
    options.feature_names = std::move(names);
    ForestReport report;
    (void)train_forest(fit.parameters, fit.data, options, fit.sample_weight, nullptr, &report);
    return report.notes;
  };
  EXPECT_THAT(notes_of(1000, {}), IsEmpty());
  EXPECT_THAT(notes_of(256, {"hour", "b", "c", "d"}),
              ElementsAre(::testing::AllOf(HasSubstr("max_bins=256"), HasSubstr("hour ("), HasSubstr("and 1 more"))));
  EXPECT_THAT(notes_of(256, {})[0], HasSubstr("feature 0 ("));
  fit.sample_weight.assign(600, 1.0F);
  fit.sample_weight[3] = 1e-12F;
  EXPECT_THAT(notes_of(1000, {}), ElementsAre(HasSubstr("1 row weighs")));
}

}  // namespace
}  // namespace overtake::test
