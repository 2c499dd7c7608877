// SPDX-License-Identifier: MIT
// What holds of every forest: limits are kept, nodes add up, rows go where training put them, columns are equals.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "forest_data.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

// -- limits and sums --------------------------------------------------------------------------------------------------

/// A random fit: data, kind, limits.
Fit random_fit(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one_in = [&](std::uint32_t n) { return random() % n == 0; };
  const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  MadeData shape;
  shape.rows = 20 + below(200);
  shape.features = 1 + below(8);
  shape.classes = one_in(2) ? 0 : 2 + static_cast<std::int32_t>(below(4));
  shape.missing = one_in(3) ? 0.15 : 0;
  shape.levels = one_in(2) ? 0 : 2 + static_cast<std::int32_t>(below(12));
  shape.seed = seed;
  Fit fit{"random " + std::to_string(seed), made_data(shape), {}, {}};
  fit.parameters =
      ForestParameters::defaults(one_in(3) ? ForestKind::extra_trees : ForestKind::random_forest, fit.data.task);
  ForestParameters& p = fit.parameters;
  p.n_estimators = 3;
  p.random_state = seed;
  const std::vector<Criterion> criteria =
      shape.classes > 0 ? std::vector{Criterion::gini, Criterion::entropy}
                        : std::vector{Criterion::squared_error, Criterion::friedman_mse, Criterion::poisson};
  p.criterion = criteria[random() % criteria.size()];
  if (one_in(3)) p.max_depth = 1 + static_cast<int>(below(6));
  if (one_in(3)) p.min_samples_split = one_in(2) ? CountOrFraction(0.2) : CountOrFraction(11);
  if (one_in(3)) p.min_samples_leaf = one_in(2) ? CountOrFraction(0.07) : CountOrFraction(4);
  if (one_in(4)) p.min_weight_fraction_leaf = 0.06;
  if (one_in(4)) p.max_leaf_nodes = 2 + static_cast<int>(below(12));
  if (one_in(4)) p.min_impurity_decrease = shape.classes > 0 ? 0.01 : 20;
  if (one_in(2)) p.max_features = 0.6;
  p.bootstrap = one_in(2);
  if (p.bootstrap && one_in(2)) p.max_samples = CountOrFraction(0.5);
  if (one_in(4)) fit.sample_weight = made_weights(fit.data.rows);
  return fit;
}

double least(const CountOrFraction& wanted, std::int64_t rows) {
  return wanted.is_fraction ? std::ceil(wanted.value * static_cast<double>(rows)) : wanted.value;
}

void expect_limits(const Fit& fit, const Tree& tree) {
  const ForestParameters& p = fit.parameters;
  const std::int64_t rows = fit.data.rows;
  EXPECT_LE(depth_of(tree), p.max_depth.value_or(1 << 20));
  EXPECT_LE(leaves_of(tree), p.max_leaf_nodes.value_or(1 << 20));
  double total = static_cast<double>(rows);
  if (!fit.sample_weight.empty()) total = std::accumulate(fit.sample_weight.begin(), fit.sample_weight.end(), 0.0);
  if (p.max_samples) total *= p.max_samples->value;
  for (std::int32_t node = 0; node < tree.nodes(); ++node) {
    if (node > 0) {
      EXPECT_GE(tree.samples[node], least(p.min_samples_leaf, rows));
    }
    if (node > 0) {
      EXPECT_GE(tree.weighted_samples[node], p.min_weight_fraction_leaf * total * 0.99);
    }
    if (tree.feature[node] < 0) continue;
    EXPECT_GE(tree.samples[node], std::max(2.0, least(p.min_samples_split, rows)));
    const auto cost = [&](std::int32_t at) { return tree.weighted_samples[at] * tree.impurity[at]; };
    const double decrease = (cost(node) - cost(tree.left[node]) - cost(tree.right[node])) / tree.weighted_samples[0];
    if (p.min_impurity_decrease > 0) {
      EXPECT_GE(decrease, p.min_impurity_decrease * (1 - 1e-9));
    }
  }
}

void expect_sums(const Fit& fit, const Forest& forest, const Tree& tree) {
  const auto outputs = static_cast<std::size_t>(forest.outputs());
  std::int32_t next = 0;
  std::vector<std::int32_t> open{0};
  while (!open.empty()) {  // nodes are numbered depth first, left child first
    const std::int32_t node = open.back();
    open.pop_back();
    ASSERT_EQ(node, next++);
    EXPECT_GE(tree.impurity[node], 0);
    ASSERT_GT(tree.weighted_samples[node], 0);
    double shares = 0;
    for (std::size_t o = 0; o < outputs; ++o) shares += tree.value[static_cast<std::size_t>(node) * outputs + o];
    if (forest.classes > 0) {
      EXPECT_NEAR(shares, 1, 1e-12);
    }
    if (tree.feature[node] < 0) continue;
    const std::int32_t left = tree.left[node];
    const std::int32_t right = tree.right[node];
    ASSERT_LT(tree.feature[node], fit.data.features);
    EXPECT_EQ(tree.samples[node], tree.samples[left] + tree.samples[right]);
    EXPECT_DOUBLE_EQ(tree.weighted_samples[node], tree.weighted_samples[left] + tree.weighted_samples[right]);
    for (std::size_t o = 0; o < outputs; ++o) {
      const auto sum = [&](std::int32_t at) {
        return tree.weighted_samples[at] * tree.value[static_cast<std::size_t>(at) * outputs + o];
      };
      // Each node has whole numbers of its own: beside weights that fill 31 bits its targets have 30 bits of the range
      // of the node, which is some times its mean.
      EXPECT_NEAR(sum(node), sum(left) + sum(right), 1e-9 * (1 + std::fabs(sum(node))));
    }
    open.push_back(right);
    open.push_back(left);
  }
  EXPECT_EQ(next, tree.nodes());
}

/// Without bootstrap the training rows that reach a leaf by its thresholds are those it was made of.
void expect_rows_where_training_put_them(const Fit& fit, const Forest& forest) {
  const std::vector<std::int32_t> reached = forest.apply(fit.data.inputs);
  const auto trees = forest.trees.size();
  for (std::size_t t = 0; t < trees; ++t) {
    const Tree& tree = forest.trees[t];
    std::map<std::int32_t, std::int32_t> rows;
    std::map<std::int32_t, double> weight, sum;
    for (std::int64_t row = 0; row < fit.data.rows; ++row) {
      const float own = fit.sample_weight.empty() ? 1.0F : fit.sample_weight[row];
      const std::int32_t leaf = reached[static_cast<std::size_t>(row) * trees + t];
      const std::span<const float> cells(fit.data.inputs.data() + row * fit.data.features,
                                         static_cast<std::size_t>(fit.data.features));
      const std::vector<std::int32_t> path = forest.decision_path(cells, t);
      ASSERT_EQ(path.front(), 0);
      ASSERT_EQ(path.back(), leaf);
      if (own == 0) continue;
      rows[leaf] += 1;
      weight[leaf] += static_cast<double>(own);
      if (forest.classes == 0) sum[leaf] += static_cast<double>(own) * static_cast<double>(fit.data.targets[row]);
      if (forest.classes > 0 && fit.data.labels[row] == 0) sum[leaf] += static_cast<double>(own);
    }
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] >= 0) continue;
      EXPECT_EQ(tree.samples[node], rows[node]) << "leaf " << node;
      EXPECT_NEAR(tree.weighted_samples[node], weight[node], 1e-5 * weight[node]);
      const double value = tree.value[static_cast<std::size_t>(node) * static_cast<std::size_t>(forest.outputs())];
      const double expected = sum[node] / weight[node];
      EXPECT_NEAR(value, expected, 1e-5 * (1 + std::fabs(expected)));
    }
  }
}

TEST(ForestProperties, RandomForestsKeepTheirLimitsAndAddUp) {
  int nodes = 0;
  for (std::uint32_t seed = 1; seed <= 150 && !HasFailure(); ++seed) {
    const Fit fit = random_fit(seed);
    SCOPED_TRACE(fit.name);
    const Forest forest = fit.train();
    ASSERT_EQ(forest.trees.size(), 3U);
    for (const Tree& tree : forest.trees) {
      nodes += tree.nodes();
      expect_limits(fit, tree);
      expect_sums(fit, forest, tree);
    }
    if (!fit.parameters.bootstrap) expect_rows_where_training_put_them(fit, forest);
    const double importance =
        std::accumulate(forest.feature_importances.begin(), forest.feature_importances.end(), 0.0);
    const bool splits =
        std::any_of(forest.trees.begin(), forest.trees.end(), [](const Tree& t) { return t.nodes() > 1; });
    EXPECT_NEAR(importance, splits ? 1 : 0, 1e-9);
    for (const double each : forest.feature_importances) EXPECT_GE(each, -1e-12);
  }
  EXPECT_GT(nodes, 150 * 3 * 10);
}

TEST(ForestProperties, PredictionsAreMeansOfTheLeaves) {
  for (std::uint32_t seed = 200; seed < 230; ++seed) {
    const Fit fit = random_fit(seed);
    const Forest forest = fit.train();
    const Dataset other = made_data({.rows = 50, .features = fit.data.features, .missing = 0.1, .seed = seed + 1});
    const std::vector<std::int32_t> leaves = forest.apply(other.inputs);
    const auto outputs = static_cast<std::size_t>(forest.outputs());
    const std::vector<double> answers =
        forest.classes > 0 ? forest.predict_proba(other.inputs) : forest.predict_values(other.inputs);
    const std::vector<std::int32_t> labels =
        forest.classes > 0 ? forest.predict(other.inputs) : std::vector<std::int32_t>(50, 0);
    for (std::size_t row = 0; row < 50; ++row) {
      double all = 0;
      for (std::size_t o = 0; o < outputs; ++o) {
        double mean = 0;
        for (std::size_t t = 0; t < 3; ++t) {
          mean += forest.trees[t].value[static_cast<std::size_t>(leaves[row * 3 + t]) * outputs + o] / 3;
        }
        EXPECT_NEAR(answers[row * outputs + o], mean, 1e-9 * (1 + std::fabs(mean)));
        EXPECT_LE(answers[row * outputs + o], answers[row * outputs + static_cast<std::size_t>(labels[row])]);
        all += answers[row * outputs + o];
      }
      if (forest.classes > 0) {
        EXPECT_NEAR(all, 1, 1e-12);
      }
    }
  }
}

// -- what must not get worse, or change -------------------------------------------------------------------------------

TEST(ForestProperties, MoreDepthNeverLowersTheTrainingFit) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    for (const std::int32_t classes : {3, 0}) {
      const Dataset data = made_data({.classes = classes, .missing = 0.1, .seed = seed});
      ForestParameters parameters = ForestParameters::defaults(ForestKind::extra_trees, data.task);
      parameters.kind = seed % 2 == 0 ? ForestKind::random_forest : ForestKind::extra_trees;
      parameters.bootstrap = false;
      parameters.n_estimators = 1;
      parameters.random_state = seed;
      double before = -std::numeric_limits<double>::infinity();
      for (int depth = 1; depth <= 10; ++depth) {
        parameters.max_depth = depth;
        const Forest forest = train_forest(parameters, data);
        double fit = 0;
        if (classes > 0) {
          const std::vector<std::int32_t> labels = forest.predict(data.inputs);
          for (std::int64_t row = 0; row < data.rows; ++row) fit += labels[row] == data.labels[row] ? 1 : 0;
        } else {
          const std::vector<double> answers = forest.predict_values(data.inputs);
          for (std::int64_t row = 0; row < data.rows; ++row) {
            fit -= std::pow(answers[row] - static_cast<double>(data.targets[row]), 2);
          }
        }
        EXPECT_GE(fit, before - 1e-9 * std::fabs(before)) << "seed " << seed << " depth " << depth;
        before = fit;
      }
      if (classes > 0) {
        EXPECT_GT(before, 0.9 * static_cast<double>(data.rows));
      }
    }
  }
}

TEST(ForestProperties, WeightsAreRepetition) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    for (const std::int32_t classes : {4, 0}) {
      const Dataset data =
          made_data({.rows = 80, .classes = classes, .missing = seed % 3 == 0 ? 0.1 : 0, .seed = seed});
      std::vector<float> weights;
      std::vector<std::int32_t> rows;
      for (std::int32_t row = 0; row < data.rows; ++row) {
        const std::uint32_t times = (static_cast<std::uint32_t>(row) * 7 + seed) % 4;
        weights.push_back(static_cast<float>(times));
        rows.insert(rows.end(), times, row);
      }
      ForestParameters parameters =
          ForestParameters::defaults(seed % 2 == 0 ? ForestKind::random_forest : ForestKind::extra_trees, data.task);
      parameters.bootstrap = false;
      parameters.n_estimators = 2;
      parameters.max_features = 3;
      if (seed % 5 == 0) parameters.max_leaf_nodes = 9;
      const Forest weighted = train_forest(parameters, data, {}, weights);
      const Forest repeated = train_forest(parameters, select(data, rows));
      for (std::size_t t = 0; t < 2; ++t) {
        const Tree& a = weighted.trees[t];
        const Tree& b = repeated.trees[t];
        ASSERT_EQ(a.feature, b.feature) << "seed " << seed << " classes " << classes;
        EXPECT_EQ(a.left, b.left);
        EXPECT_EQ(a.right, b.right);
        EXPECT_EQ(a.weighted_samples, b.weighted_samples);
        EXPECT_LT(a.samples[0], b.samples[0]);
        for (std::int32_t node = 0; node < a.nodes(); ++node) {
          if (a.feature[node] >= 0) {
            EXPECT_EQ(a.threshold[node], b.threshold[node]);
          }
          EXPECT_NEAR(a.impurity[node], b.impurity[node], 1e-9 * (1 + a.impurity[0]));
        }
        for (std::size_t i = 0; i < a.value.size(); ++i) {
          EXPECT_NEAR(a.value[i], b.value[i], 1e-9 * (1 + std::fabs(b.value[i])));
        }
      }
    }
  }
}

TEST(ForestProperties, ColumnsMayComeInAnyOrder) {
  // Ties are broken by chance, so the order of the columns may not say how good a forest is: features that say nothing
  // come first here, last there.
  const Dataset data = made_data({.rows = 240, .features = 12, .classes = 0, .seed = 8});
  Dataset turned = data;
  for (std::int64_t row = 0; row < data.rows; ++row) {
    std::reverse(turned.inputs.begin() + row * 12, turned.inputs.begin() + (row + 1) * 12);
  }
  for (Dataset* each : {&turned}) {
    for (double& target : each->targets) target = std::log(target);
  }
  Dataset straight = turned;
  straight.inputs = data.inputs;
  SearchOptions options;
  options.fixed = {{"n_estimators", std::int64_t{20}}};
  options.refit = false;
  options.folds.n_splits = 4;
  std::vector<Parameters> seeds;
  for (std::int64_t seed = 0; seed < 30; ++seed) seeds.push_back({{"random_state", seed}});
  double sums[2] = {0, 0};
  for (int i = 0; i < 2; ++i) {
    for (const SearchRow& row : search(i == 0 ? straight : turned, seeds, options).rows) sums[i] += row.mean[0] / 30;
  }
  EXPECT_GT(sums[0], 0.5);
  EXPECT_NEAR(sums[0], sums[1], 0.004);
}

TEST(ForestProperties, OutOfBagScoreIsCloseToThatOfOtherRows) {
  for (const std::int32_t classes : {3, 0}) {
    MadeData shape{.rows = 700, .features = 6, .classes = classes, .seed = 3};
    Dataset data = made_data(shape);
    shape.seed = 4;
    Dataset other = made_data(shape);
    for (Dataset* each : {&data, &other}) {
      for (double& target : each->targets) target = std::log(target);
    }
    ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
    parameters.n_estimators = 60;
    parameters.oob_score = true;
    double test = 0;
    Forest forest;
    if (classes > 0) {
      ForestClassifier model(parameters);
      test = model.fit(data).score(other);
      forest = model.forest();
    } else {
      ForestRegressor model(parameters);
      test = model.fit(data).score(other);
      forest = model.forest();
    }
    ASSERT_TRUE(forest.oob_score.has_value());
    EXPECT_GT(test, 0.6);
    EXPECT_NEAR(*forest.oob_score, test, 0.04);
    EXPECT_EQ(forest.oob_prediction.size(), 700U * static_cast<std::size_t>(forest.outputs()));
    // Rows in a tree's bag fit far better: the out-of-bag score must not be that of the training rows.
    double training = 0;
    if (classes > 0) {
      const std::vector<std::int32_t> labels = forest.predict(data.inputs);
      for (std::size_t row = 0; row < 700; ++row) training += labels[row] == data.labels[row] ? 1.0 / 700 : 0;
      EXPECT_GT(training, *forest.oob_score + 0.05);
    }
  }
}

}  // namespace
}  // namespace overtake::test
