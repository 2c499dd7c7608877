// SPDX-License-Identifier: MIT
// Work that is counted before it is done, beside the forests that are grown then.
#include "overtake/forest/work.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "overtake/forest/training.hpp"

namespace overtake {
namespace {

/// `noise`: the share of labels that say nothing.
Dataset made_up(std::int64_t rows, std::int64_t features, double noise, bool numbers = false) {
  std::mt19937_64 random(42);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<double> uniform;
  Dataset data;
  data.task = numbers ? Task::regression : Task::classification;
  data.rows = rows;
  data.features = features;
  data.classes = numbers ? 0 : 3;
  for (std::int64_t row = 0; row < rows; ++row) {
    float signal = 0;
    for (std::int64_t feature = 0; feature < features; ++feature) {
      data.inputs.push_back(normal(random));
      if (feature < 3) signal += data.inputs.back();
    }
    const int label = signal < -1 ? 0 : signal < 1 ? 1 : 2;
    if (numbers) data.targets.push_back(signal + noise * normal(random));
    if (!numbers) data.labels.push_back(uniform(random) < noise ? static_cast<int>(random() % 3) : label);
  }
  return data;
}

/// Split nodes, and their rows, of a forest that is grown.
struct Truth {
  double nodes = 0, moves = 0;
  double small_moves = 0;  ///< of nodes of fewer than small_node_rows rows
};

Truth grown(const Dataset& data, const ForestParameters& parameters) {
  Truth truth;
  for (const Tree& tree : train_forest(parameters, data).trees) {
    for (std::size_t node = 0; node < tree.feature.size(); ++node) {
      if (tree.feature[node] < 0) continue;
      truth.nodes += 1;
      truth.moves += tree.samples[node];
      if (tree.samples[node] < small_node_rows) truth.small_moves += tree.samples[node];
    }
  }
  return truth;
}

ForestParameters of(const Dataset& data, ForestKind kind = ForestKind::random_forest) {
  ForestParameters parameters = ForestParameters::defaults(kind, data.task);
  parameters.n_estimators = 10;
  return parameters;
}

/// Within a factor of each other.
void expect_near(double counted, double true_count, double factor) {
  EXPECT_LT(counted, true_count * factor);
  EXPECT_GT(counted, true_count / factor);
}

void expect_true(const Dataset& data, const ForestParameters& parameters, double factor = 1.3) {
  const ForestWork work = forest_work(data, {parameters});
  const Truth truth = grown(data, parameters);
  EXPECT_EQ(work.numbers, data.task == Task::regression);
  EXPECT_EQ(work.trees, parameters.n_estimators);
  expect_near(work.nodes, truth.nodes, factor);
  expect_near(work.moves, truth.moves, factor);
  EXPECT_GE(work.visits, work.moves);
}

TEST(ForestWorkCounts, RowsOfSmallNodesAboveALimitOfDepth) {
  const Dataset data = made_up(8000, 12, 0.3);
  ForestParameters parameters = of(data);
  for (const int depth : {8, 10}) {
    parameters.max_depth = depth;
    const ForestWork work = forest_work(data, {parameters});
    const double small_moves = work.small_visits / (work.visits / work.moves);
    const Truth truth = grown(data, parameters);
    EXPECT_GT(small_moves, truth.small_moves / 2.5) << depth;
    EXPECT_LT(small_moves, truth.small_moves * 2.5) << depth;
  }
}

TEST(ForestWork, CountsTreesOfSmallData) {
  for (const double noise : {0.0, 0.3}) {
    const Dataset data = made_up(300, 4, noise);
    expect_true(data, of(data), 1.6);  // two trees stand for ten
  }
}

TEST(ForestWork, CountsTreesThatAreLargerThanTheSample) {
  const Dataset classes = made_up(60000, 4, 0.2);
  expect_true(classes, of(classes));
  const Dataset numbers = made_up(40000, 6, 0.5, true);
  expect_true(numbers, of(numbers));
  expect_true(classes, of(classes, ForestKind::extra_trees));
}

TEST(ForestWork, CountsTreesThatLimitsCutShort) {
  const Dataset data = made_up(40000, 4, 0.2);
  ForestParameters parameters = of(data);
  parameters.max_depth = 6;
  expect_true(data, parameters);
  parameters.max_depth = {};
  parameters.min_samples_leaf = 50;
  expect_true(data, parameters, 1.6);
}

TEST(ForestWork, CountsWhatIsSharedOnce) {
  const Dataset data = made_up(1000, 4, 0.2);
  ForestParameters deep = of(data), shallow = of(data), other = of(data), refused = of(data);
  shallow.max_depth = 2;
  shallow.n_estimators = 20;
  other.max_bins = 16;
  refused.set("max_features", ParameterValue(std::int64_t{5}));
  const ForestFits fits{.folds = 5, .test_rows = 200, .keeps_model = false};
  EXPECT_EQ(forest_work(data, {deep}, fits).forests, 5);
  EXPECT_EQ(forest_work(data, {deep, shallow}, fits).forests, 5);
  EXPECT_EQ(forest_work(data, {deep, shallow}, fits).trees, 100) << "the trees of one, the depth of the other";
  EXPECT_EQ(forest_work(data, {deep, other}, fits).forests, 10) << "these share nothing";
  EXPECT_EQ(forest_work(data, {deep, other}, fits).cells, 2 * forest_work(data, {deep}, fits).cells);
  EXPECT_EQ(forest_work(data, {refused}, fits).trees, 0) << "there are four features";
  EXPECT_EQ(forest_work(data, {}, fits).trees, 0);
}

TEST(ForestWork, OfDataThatNothingCanBeGrownFromIsNone) {
  Dataset data = made_up(50, 3, 0.0);
  for (std::int32_t& label : data.labels) label = 1;
  const ForestWork work = forest_work(data, {of(data)});
  EXPECT_EQ(work.nodes, 0);
  EXPECT_EQ(work.cells, 150);
  EXPECT_EQ(forest_work(made_up(1, 3, 0), {of(data)}).nodes, 0);
}

}  // namespace
}  // namespace overtake
