// SPDX-License-Identifier: MIT
// A walk through all parameters of forests: each changes or limits what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "forest_data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

TEST(ForestEveryParameter, IsTried) {
  std::set<std::string> tried;
  for (const OtherValues& other : other_values()) tried.insert(other.name);
  const std::span<const std::string> names = ForestParameters::names();
  EXPECT_EQ(tried, std::set<std::string>(names.begin(), names.end()));
}

TEST(ForestEveryParameter, ChangesTheForest) {
  const std::set<std::string> no_split = {"oob_score", "warm_start"};  // checked below
  for (const OtherValues& other : other_values()) {
    if (no_split.contains(other.name)) continue;
    std::set<std::string> forests = {splits_of(plain_fit(other.task).train())};
    for (const ParameterValue& value : other.values) {
      Fit fit = plain_fit(other.task);
      fit.parameters.set(other.name, value);
      forests.insert(splits_of(fit.train()));
    }
    EXPECT_EQ(forests.size(), other.values.size() + 1) << other.name;
  }
}

/// The plain fit with one parameter changed.
Forest with(Task task, const std::string& name, const ParameterValue& value) {
  Fit fit = plain_fit(task);
  fit.parameters.set(name, value);
  return fit.train();
}
Forest with(const std::string& name, const ParameterValue& value) { return with(Task::classification, name, value); }

/// The smallest of `numbers` over the nodes for which `counts` holds.
template <typename Numbers, typename Counts>
double smallest(const Forest& forest, const Numbers& numbers, const Counts& counts) {
  double least_seen = std::numeric_limits<double>::infinity();
  for (const Tree& tree : forest.trees) {
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (counts(tree, node)) least_seen = std::min(least_seen, static_cast<double>(numbers(tree)[node]));
    }
  }
  return least_seen;
}
const auto samples = [](const Tree& tree) -> const std::vector<std::int32_t>& { return tree.samples; };
const auto weights = [](const Tree& tree) -> const std::vector<double>& { return tree.weighted_samples; };
const auto inner = [](const Tree& tree, std::int32_t node) { return tree.feature[node] >= 0; };
const auto leaf = [](const Tree& tree, std::int32_t node) { return tree.feature[node] < 0; };
const auto root = [](const Tree&, std::int32_t node) { return node == 0; };

TEST(ForestEveryParameter, FriedmansCriterionRanksSplitsAsTheSquaredErrorDoes) {
  // Both are w_l w_r / (w_l + w_r) (mean_l - mean_r)^2 up to a constant of the node.
  EXPECT_EQ(splits_of(with(Task::regression, "criterion", std::string("friedman_mse"))),
            splits_of(with(Task::regression, "criterion", std::string("squared_error"))));
}

TEST(ForestEveryParameter, MeansWhatItSays) {
  const ParameterValue none;
  const auto whole = [](std::int64_t value) { return ParameterValue(value); };
  EXPECT_EQ(with("n_estimators", whole(9)).trees.size(), 9U);
  EXPECT_EQ(depth_of(with("max_depth", whole(3)).trees[0]), 3);
  EXPECT_EQ(smallest(with("min_samples_split", whole(2)), samples, inner), 2);
  EXPECT_GE(smallest(with("min_samples_split", whole(25)), samples, inner), 25);
  EXPECT_GE(smallest(with("min_samples_split", 0.25), samples, inner), 50);
  EXPECT_EQ(smallest(with(Task::regression, "min_samples_leaf", whole(12)), samples, leaf), 12);
  EXPECT_EQ(smallest(with(Task::regression, "min_samples_leaf", 0.1), samples, leaf), 20);
  EXPECT_GE(smallest(with("min_weight_fraction_leaf", 0.07), weights, leaf), 14);
  EXPECT_LT(smallest(with("min_weight_fraction_leaf", 0.07), weights, leaf), 20);
  EXPECT_EQ(leaves_of(with("max_leaf_nodes", whole(9)).trees[0]), 9);
  const Forest bootstrapped = with("bootstrap", true);
  EXPECT_LT(smallest(bootstrapped, samples, root), 150);  // 1 - 1/e of 200
  EXPECT_EQ(smallest(bootstrapped, weights, root), 200);
  EXPECT_EQ(smallest(with("bootstrap", false), samples, root), 200);
  EXPECT_EQ(smallest(with("max_samples", whole(30)), weights, root), 30);
  EXPECT_EQ(smallest(with("max_samples", 0.4), weights, root), 80);
  EXPECT_LT(with("ccp_alpha", 0.03).trees[0].nodes(), with("ccp_alpha", 0.01).trees[0].nodes());
  EXPECT_LT(with("ccp_alpha", 0.01).trees[0].nodes(), with("ccp_alpha", 0.0).trees[0].nodes());
  EXPECT_FALSE(with("oob_score", false).oob_score.has_value());
  EXPECT_TRUE(with("oob_score", true).oob_score.has_value());
  EXPECT_EQ(splits_of(with("max_features", none)), splits_of(with("max_features", 1.0)));
  EXPECT_EQ(splits_of(with("max_features", std::string("sqrt"))), splits_of(with("max_features", whole(6))));
  EXPECT_EQ(splits_of(with("max_features", std::string("log2"))), splits_of(with("max_features", whole(5))));
}

TEST(ForestEveryParameter, ClassWeightsMoveTheShares) {
  Fit fit = plain_fit(Task::classification);
  fit.parameters.bootstrap = false;
  const auto root_shares = [&](const char* class_weight) {
    fit.parameters.set("class_weight", std::string(class_weight));
    const std::vector<double> value = fit.train().trees[0].value;
    return std::vector<double>(value.begin(), value.begin() + 3);
  };
  std::vector<double> counts(3, 0.0);
  for (const std::int32_t label : fit.data.labels) counts[label] += 1;
  for (const char* balanced : {"balanced", "balanced_subsample"}) {
    for (const double share : root_shares(balanced)) EXPECT_NEAR(share, 1.0 / 3, 1e-6) << balanced;
  }
  const std::vector<double> given = root_shares("0:1,2:5");
  const double total = counts[0] + counts[1] + 5 * counts[2];
  EXPECT_NEAR(given[0], counts[0] / total, 1e-6);
  EXPECT_NEAR(given[1], counts[1] / total, 1e-6);
  EXPECT_NEAR(given[2], 5 * counts[2] / total, 1e-6);
  fit.parameters.bootstrap = true;
  for (const double share : root_shares("balanced_subsample")) EXPECT_NEAR(share, 1.0 / 3, 1e-3);
  double furthest = 0;
  for (const double share : root_shares("balanced")) furthest = std::max(furthest, std::fabs(share - 1.0 / 3));
  EXPECT_GT(furthest, 0.005);  // balanced over all rows, not over the tree's
}

TEST(ForestEveryParameter, FewBinsAreFewThresholds) {
  for (const std::int64_t bins : {2, 20}) {
    std::map<std::int32_t, std::set<double>> thresholds;
    for (const Tree& tree : with("max_bins", bins).trees) {
      for (std::int32_t node = 0; node < tree.nodes(); ++node) {
        if (tree.feature[node] >= 0) thresholds[tree.feature[node]].insert(tree.threshold[node]);
      }
    }
    EXPECT_GT(thresholds.size(), 20U);
    // Where the bins next to a cut have no rows in a node, its threshold lies between others: at most one a pair.
    const auto most = static_cast<std::size_t>(bins * (bins - 1) / 2);
    for (const auto& [feature, values] : thresholds) EXPECT_LE(values.size(), most) << "feature " << feature;
  }
}

TEST(ForestEveryParameter, WarmStartKeepsTheTrees) {
  Fit fit = plain_fit(Task::classification);
  const Forest four = fit.train();
  fit.parameters.n_estimators = 6;
  fit.parameters.warm_start = true;
  Forest earlier = four;
  earlier.parameters.warm_start = true;
  const Forest six = fit.train({}, &earlier);
  ASSERT_EQ(six.trees.size(), 6U);
  for (std::size_t tree = 0; tree < 4; ++tree) EXPECT_EQ(export_text(six, tree, 99), export_text(four, tree, 99));
  fit.parameters.max_depth = 2;
  EXPECT_THROW((void)fit.train({}, &earlier), UsageError);
  fit.parameters.max_depth.reset();
  fit.parameters.n_estimators = 3;
  EXPECT_THROW((void)fit.train({}, &earlier), UsageError);
}

}  // namespace
}  // namespace overtake::test
