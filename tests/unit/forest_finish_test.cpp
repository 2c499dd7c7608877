// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "backend/forest_problem.hpp"
#include "forest/grow/impurity.hpp"
#include "forest/problem/targets.hpp"
#include "forest/tree/finish.hpp"
#include "oracle/forest_oracle.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest::testing {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint32_t no_bin = 0xffff;

BinEdges edges_of(std::vector<float> lower, std::vector<float> upper) {
  BinEdges edges;
  edges.features = 1;
  edges.first = {0, static_cast<std::int32_t>(lower.size())};
  edges.lower = std::move(lower);
  edges.upper = std::move(upper);
  edges.has_missing = {0};
  return edges;
}

double threshold(const BinEdges& edges, std::uint32_t left, std::uint32_t right, std::uint32_t cut) {
  NodeRecord node = formulas::forest_new_node(0, FOREST_ROOT_KEY);
  node.feature = 0;
  node.between = left | right << 16;
  node.cut = cut;
  return threshold_of(edges, node, false, 0, 0);
}

TEST(ForestFinish, ThresholdsAreMiddlesOfPresentValues) {
  const BinEdges edges = edges_of({1, 2, 4, 10}, {1, 2, 4, 10});
  EXPECT_EQ(threshold(edges, 0, 1, 0), 1.5);
  EXPECT_EQ(threshold(edges, 0, 3, 2), 5.5) << "bins between that the node does not have";
  EXPECT_EQ(threshold(edges, 3, no_bin, 3), std::numeric_limits<double>::infinity());
  const float one = 1.0F;
  const float next = std::nextafterf(one, 2.0F);
  EXPECT_EQ(threshold(edges_of({one, next}, {one, next}), 0, 1, 0), (1.0 + static_cast<double>(next)) / 2);
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(threshold(edges_of({0, tiny}, {0, tiny}), 0, 1, 0), static_cast<double>(tiny) / 2);
}

TEST(ForestFinish, ThresholdsStayOutOfWideBins) {
  const BinEdges edges = edges_of({0, 10, 20, 50}, {1, 18, 40, 60});
  EXPECT_EQ(threshold(edges, 0, 1, 0), 5.5) << "between the bins";
  EXPECT_EQ(threshold(edges, 0, 2, 0), 5.5) << "10.5 lies inside bin 1, which goes right";
  EXPECT_EQ(threshold(edges, 0, 3, 1), 19) << "25.5 lies inside bin 2";
}

TEST(ForestFinish, RandomThresholdsSeparateTheBins) {
  const BinEdges edges = edges_of({0, 10, 20, 50}, {1, 18, 40, 60});
  for (std::uint32_t key = 1; key < 200; ++key) {
    NodeRecord node = formulas::forest_new_node(0, FOREST_ROOT_KEY);
    node.feature = 0;
    node.between = 0U | 3U << 16;
    node.key = key;
    const double wanted = formulas::forest_random_threshold(1, 60, philox::bits(11, 4 * 5 + 2, key, 0));
    while (node.cut + 1 < 4 && static_cast<double>(edges.upper[node.cut + 1]) <= wanted) ++node.cut;
    const double made = threshold_of(edges, node, true, 11, 5);
    EXPECT_GE(made, static_cast<double>(edges.upper[node.cut]));
    EXPECT_LT(made, static_cast<double>(edges.lower[node.cut + 1]));
    if (wanted < static_cast<double>(edges.lower[node.cut + 1])) {
      EXPECT_EQ(made, wanted);
    }
  }
}

/// A node's impurity for the given answers, one row each.
double impurity(Criterion criterion, const std::vector<double>& answers, const std::vector<std::uint32_t>& weights) {
  Targets targets;
  targets.values = answers;
  GrownTree tree;
  tree.nodes.resize(1, formulas::forest_new_node(0, FOREST_ROOT_KEY));
  tree.nodes[0].samples = static_cast<std::int32_t>(answers.size());
  LeafRows leaves{{}, weights};
  for (std::uint32_t row = 0; row < answers.size(); ++row) leaves.rows.push_back(row);
  return number_impurities(targets, criterion, tree, leaves)[0];
}

TEST(ForestFinish, ImpuritiesOfNumbers) {
  const std::vector<double> answers = {1000, 1001, 1004};
  EXPECT_NEAR(impurity(Criterion::squared_error, answers, {1, 1, 1}), 26.0 / 9, 1e-12);
  EXPECT_NEAR(impurity(Criterion::friedman_mse, answers, {2, 1, 1}), (2 * 0 + 1 + 16) / 4.0 - 25.0 / 16, 1e-12);
  EXPECT_EQ(impurity(Criterion::squared_error, {5, 5}, {3, 4}), 0);
  const double mean = (2 * 1 + 1 * 3) / 3.0;
  EXPECT_NEAR(impurity(Criterion::poisson, {1, 3}, {2, 1}), (2 * std::log(1 / mean) + 3 * std::log(3 / mean)) / 3,
              1e-12);
  EXPECT_NEAR(impurity(Criterion::poisson, {0, 2}, {1, 1}), 2 * std::log(2.0) / 2, 1e-12);
}

/// A tree whose leaves hold `of_each` rows, joined one after the other from the last.
GrownTree chain(std::int32_t leaves, std::int32_t of_each) {
  GrownTree tree;
  for (std::int32_t i = 0; i < 2 * leaves - 1; ++i) {
    const bool leaf = i % 2 == 1 || i == 2 * leaves - 2;
    NodeRecord node = formulas::forest_new_node(0, FOREST_ROOT_KEY);
    node.feature = leaf ? -1 : 0;
    node.left = leaf ? -1 : i + 1;
    node.samples = of_each * (leaf ? 1 : leaves - i / 2);
    tree.nodes.push_back(node);
    tree.right.push_back(leaf ? -1 : i + 2);
  }
  return tree;
}

// Whatever stands in other nodes, and in the node itself: right by the node's own spread.
TEST(ForestFinish, ImpuritiesAreRightByTheirOwnSize) {
  constexpr std::int32_t leaves = 12, of_each = 9;
  for (const Criterion criterion : {Criterion::squared_error, Criterion::poisson}) {
    for (const double far : {1e3, 99999999.0, 1e9, 1e18, 1e30, 1e90}) {
      for (const bool many : {false, true}) {  // one far value, or half of them about `far`
        std::mt19937 random(7);
        Targets targets;
        LeafRows rows;
        for (std::uint32_t row = 0; row < leaves * of_each; ++row) {
          const double y = static_cast<double>(random() % 1000000) / 1e6;
          targets.values.push_back(many && row / of_each % 2 == 0 ? far + y : row == 40 && !many ? far : y);
          rows.rows.push_back(row);
          rows.weights.push_back(1 + static_cast<std::uint32_t>(random() % 3));
        }
        const GrownTree tree = chain(leaves, of_each);
        const std::vector<double> found = number_impurities(targets, criterion, tree, rows);
        std::size_t begin = 0;
        for (std::size_t node = 0; node < tree.nodes.size(); ++node) {
          const bool leaf = tree.nodes[node].feature < 0;
          long double weight = 0, mean = 0, sum = 0;
          const auto end = begin + static_cast<std::size_t>(tree.nodes[node].samples);
          const auto y = [&](std::size_t i) {
            return static_cast<long double>(targets.values[i]) - targets.values[begin];
          };
          for (std::size_t i = begin; i < end; ++i) weight += rows.weights[i];
          for (std::size_t i = begin; i < end; ++i) mean += rows.weights[i] * y(i) / weight;
          const long double whole = mean + targets.values[begin];
          for (std::size_t i = begin; i < end; ++i) {
            const long double apart = y(i) - mean;
            const long double ratio = apart / whole;
            const long double excess = std::fabs(ratio) < 1e-4L ? ratio * ratio / 2 - ratio * ratio * ratio / 6
                                       : ratio <= -1            ? 1
                                                                : (1 + ratio) * std::log1p(ratio) - ratio;
            sum += rows.weights[i] * (criterion == Criterion::poisson ? whole * excess : apart * apart);
          }
          const auto expected = static_cast<double>(sum / weight);
          EXPECT_NEAR(found[node], expected, 1e-9 * expected) << "node " << node << " beside " << far;
          EXPECT_GE(found[node], 0);
          if (leaf) begin = end;
        }
      }
    }
  }
}

TEST(ForestFinish, ImpuritiesOfClasses) {
  Problem problem;
  problem.targets.classes = 3;
  GrownTree tree;
  tree.nodes.resize(2, formulas::forest_new_node(0, FOREST_ROOT_KEY));
  tree.nodes[0].weight = 8;
  tree.nodes[1].weight = 5;
  tree.class_weights = {4, 4, 0, 0, 5, 0};
  EXPECT_EQ(impurities_of(problem, Criterion::gini, tree), (std::vector<double>{0.5, 0}));
  EXPECT_EQ(impurities_of(problem, Criterion::entropy, tree), (std::vector<double>{1, 0}));
}

TEST(ForestFinish, ATreeAsUsersSeeIt) {
  ProblemShape shape;
  shape.classes = 0;
  shape.weighted = true;
  const Problem problem = make_problem(shape);
  const ForestJob job = make_job(problem);
  const GrownTree grown = grow_oracle_tree(problem, job, 2);
  const Tree tree = finish_tree(problem, job, grown, 2);
  ASSERT_EQ(tree.nodes(), static_cast<std::int32_t>(grown.nodes.size()));
  ASSERT_GT(tree.nodes(), 20);
  for (std::int32_t node = 0; node < tree.nodes(); ++node) {
    const bool leaf = tree.feature[node] < 0;
    EXPECT_EQ(std::isnan(tree.threshold[node]), leaf);
    EXPECT_EQ(tree.left[node] == -1, leaf);
    EXPECT_EQ(tree.weighted_samples[node] * problem.weights[0].scale, grown.nodes[node].weight);
    if (leaf) continue;
    EXPECT_EQ(tree.left[node], node + 1);
    EXPECT_EQ(tree.samples[node], tree.samples[tree.left[node]] + tree.samples[tree.right[node]]);
    const auto sum = [&](std::int32_t of) { return tree.weighted_samples[of] * tree.value[of]; };
    EXPECT_NEAR(sum(node), sum(tree.left[node]) + sum(tree.right[node]), 1e-6 * (1 + std::fabs(sum(node))));
  }
}

/// Random inputs with few and with many values a column, and missing ones.
std::vector<float> random_inputs(std::int32_t rows, std::int32_t features, std::mt19937& random) {
  std::vector<float> inputs;
  for (std::int32_t i = 0; i < rows * features; ++i) {
    const bool few = i % features == 0;
    inputs.push_back(static_cast<float>(random() % (few ? 7U : 1000000U)) / 3.0F);
    if (random() % 10 == 0 && i % features != 1) inputs.back() = missing;
  }
  return inputs;
}

// Rows must go by their values where they went by their bins, whatever the bins and thresholds are.
TEST(ForestFinish, ThresholdsRouteTrainingRowsAsBinsDid) {
  constexpr std::int32_t rows = 300, features = 3;
  for (std::uint32_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::vector<float> inputs = random_inputs(rows, features, random);
    Problem problem;
    problem.data = bin_features(inputs, rows, features, seed % 2 == 0 ? 256 : 9, 1);
    problem.targets.classes = 3;
    problem.weights.emplace_back();
    problem.folds.emplace_back();
    for (std::int32_t row = 0; row < rows; ++row) {
      problem.targets.labels.push_back(static_cast<std::int32_t>(random() % 3));
      problem.folds[0].train.push_back(row);
    }
    ForestJob job = make_job(problem);
    job.bootstrap = false;
    job.rule.random_thresholds = seed % 3 == 0;
    const GrownTree grown = grow_oracle_tree(problem, job, 1);
    Forest forest;
    forest.features = features;
    forest.classes = 3;
    forest.trees.push_back(finish_tree(problem, job, grown, 1));
    const std::vector<std::int32_t> leaves = forest.apply(inputs);
    std::vector<std::int32_t> reached(grown.nodes.size(), 0);
    for (const std::int32_t leaf : leaves) ++reached[leaf];
    for (std::size_t node = 0; node < reached.size(); ++node) {
      if (grown.nodes[node].feature < 0) {
        ASSERT_EQ(reached[node], grown.nodes[node].samples) << "node " << node;
      }
    }
  }
}

TEST(ForestFinish, ImportancesSumToOne) {
  Tree tree;
  tree.feature = {1, -1, 0, -1, -1};
  tree.left = {1, -1, 3, -1, -1};
  tree.right = {2, -1, 4, -1, -1};
  tree.impurity = {0.5, 0, 0.4, 0, 0};
  tree.weighted_samples = {10, 5, 5, 2, 3};
  Tree stump;
  stump.feature = stump.left = stump.right = {-1};
  stump.impurity = {0.5};
  stump.weighted_samples = {10};
  const double first = 10 * 0.5 - 5 * 0.4;
  const std::vector<double> importances = importances_of({tree, stump}, 3);
  ASSERT_EQ(importances.size(), 3U);
  EXPECT_DOUBLE_EQ(importances[0], 2 / (first + 2));
  EXPECT_DOUBLE_EQ(importances[1], first / (first + 2));
  EXPECT_EQ(importances[2], 0);
  EXPECT_EQ(importances_of({stump}, 2), (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace overtake::forest::testing
