// SPDX-License-Identifier: MIT
// Single trees against scikit-learn's, split by split, with every limit that cuts a grown tree short.
// sklearn_trees.json is written by make_sklearn_trees.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "forest/model/resolve.hpp"
#include "forest/problem/targets.hpp"
#include "forest/tree/finish.hpp"
#include "forest/tree/pruning.hpp"
#include "oracle/forest_oracle.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest::testing {
namespace {

using Json = nlohmann::json;

const Json& golden() {
  static const Json content = [] {
    std::ifstream file(OVERTAKE_TEST_DATA "/golden/sklearn_trees.json");
    return Json::parse(file);
  }();
  return content;
}

Dataset data_of(const Json& json) {
  Dataset data;
  for (const Json& row : json["inputs"]) {
    for (const Json& cell : row) {
      data.inputs.push_back(cell.is_null() ? std::numeric_limits<float>::quiet_NaN() : cell.get<float>());
    }
  }
  data.classes = json["classes"];
  data.task = data.classes > 0 ? Task::classification : Task::regression;
  if (data.classes > 0) {
    data.labels = json["answers"].get<std::vector<std::int32_t>>();
  } else {
    data.targets = json["answers"].get<std::vector<double>>();
  }
  data.rows = static_cast<std::int64_t>(json["answers"].size());
  data.features = static_cast<std::int64_t>(json["inputs"][0].size());
  return data;
}

ForestParameters parameters_of(const Json& json, Task task) {
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, task);
  parameters.bootstrap = false;
  parameters.max_features = parameter::none;
  for (const auto& [name, value] : json.items()) {
    if (name == "weights") continue;
    if (value.is_string()) parameters.set(name, value.get<std::string>());
    if (value.is_number_float()) parameters.set(name, value.get<double>());
    if (value.is_number_integer()) parameters.set(name, value.get<std::int64_t>());
  }
  parameters.check();
  return parameters;
}

/// One case: the problem and the tree that Overtake makes of it.
struct Case {
  explicit Case(const Json& json) : name(json["data"].get<std::string>() + json["parameters"].dump()) {
    const Dataset data = data_of(golden()["data"][json["data"].get<std::string>()]);
    parameters = parameters_of(json["parameters"], data.task);
    Fold rows;
    for (std::int32_t row = 0; row < data.rows; ++row) rows.train.push_back(row);
    std::vector<float> sample_weight;
    double total_weight = static_cast<double>(data.rows);
    if (json["parameters"].contains("weights")) {
      for (std::int32_t row = 0; row < data.rows; ++row) sample_weight.push_back(row % 3 == 0 ? 3.0F : 1.0F);
      total_weight = 0;
      for (const float weight : sample_weight) total_weight += static_cast<double>(weight);
    }
    const TrainingRows training{rows.train, 0};
    problem.weights.push_back(make_weights(data, training, sample_weight, {}, {}));
    problem.targets = make_targets(data, parameters.criterion);
    problem.data = bin_features(data.inputs, data.rows, static_cast<std::int32_t>(data.features), 256, 1);
    problem.folds.push_back(rows);

    // The tree is grown without the limits and cut afterwards, as in a search.
    const Resolved resolved =
        resolve(parameters, {static_cast<std::int32_t>(data.features), data.rows, total_weight, 0, 0});
    ForestJob job = resolved.job;
    job.max_depth = std::numeric_limits<std::int32_t>::max();
    job.min_samples_split = 2;
    const GrownTree whole = grow_oracle_tree(problem, job, 0);
    const GrownTree cut = prune(whole, leaf_flags(problem, job, resolved.view, whole), problem.targets.classes);
    forest.parameters = parameters;
    forest.features = static_cast<std::int32_t>(data.features);
    forest.classes = problem.targets.classes;
    forest.trees.push_back(finish_tree(problem, job, cut, 0));
  }

  std::string name;
  ForestParameters parameters;
  Problem problem;
  Forest forest;
};

/// Walks down both trees at once.
class Comparison {
 public:
  Comparison(const Tree& tree, const Json& expected, std::size_t outputs)
      : tree_(tree), expected_(expected), outputs_(outputs) {}

  /// Returns how many nodes were compared. `ties`: splits may differ where they are equally good.
  int compare(bool ties) {
    ties_ = ties;
    visit(0, 0);
    return compared_;
  }

 private:
  double expected(const char* what, std::int32_t node) const { return expected_[what][node].get<double>(); }

  void visit(std::int32_t ours, std::int32_t theirs) {
    ++compared_;
    SCOPED_TRACE("node " + std::to_string(ours) + ", scikit-learn's " + std::to_string(theirs));
    ASSERT_EQ(tree_.samples[ours], expected_["samples"][theirs].get<int>());
    EXPECT_NEAR(tree_.weighted_samples[ours], expected("weighted_samples", theirs), 1e-9);
    // scikit-learn subtracts the squared mean from the mean square, and loses bits of their size (it may fall below 0).
    const double mean = outputs_ == 1 ? tree_.value[static_cast<std::size_t>(ours)] : 0;
    EXPECT_NEAR(tree_.impurity[ours], expected("impurity", theirs),
                1e-9 * (1 + tree_.impurity[ours]) + 1e-14 * mean * mean);
    for (std::size_t output = 0; output < outputs_; ++output) {
      EXPECT_NEAR(tree_.value[static_cast<std::size_t>(ours) * outputs_ + output],
                  expected_["value"][theirs][output].get<double>(), 1e-6);
    }
    const auto feature = expected_["feature"][theirs].get<std::int32_t>();
    ASSERT_EQ(tree_.feature[ours] < 0, feature < 0);
    if (feature < 0) {
      EXPECT_TRUE(std::isnan(tree_.threshold[ours]));
      return;
    }
    const Json& wanted = expected_["threshold"][theirs];
    const double threshold = wanted.is_string() ? std::numeric_limits<double>::infinity() : wanted.get<double>();
    const bool same = tree_.feature[ours] == feature && tree_.threshold[ours] == threshold;
    const auto left = expected_["left"][theirs].get<std::int32_t>();
    const auto right = expected_["right"][theirs].get<std::int32_t>();
    if (!same && ties_) {
      expect_equally_good(ours, theirs, left, right);
      const auto left_value = [&](std::size_t output) {
        return tree_.value[static_cast<std::size_t>(tree_.left[ours]) * outputs_ + output];
      };
      bool same_rows = tree_.samples[tree_.left[ours]] == expected_["samples"][left].get<int>();
      for (std::size_t output = 0; output < outputs_; ++output) {
        same_rows &= std::fabs(left_value(output) - expected_["value"][left][output].get<double>()) < 1e-6;
      }
      if (!same_rows) return;  // other rows in the children: nothing below can be compared
    } else {
      EXPECT_EQ(tree_.feature[ours], feature);
      EXPECT_EQ(tree_.threshold[ours], threshold);
      EXPECT_EQ(tree_.nan_left[ours], expected_["nan_left"][theirs].get<int>());
    }
    visit(tree_.left[ours], left);
    visit(tree_.right[ours], right);
  }

  void expect_equally_good(std::int32_t ours, std::int32_t theirs, std::int32_t left, std::int32_t right) const {
    const auto cost = [&](std::int32_t node) { return tree_.weighted_samples[node] * tree_.impurity[node]; };
    const auto their_cost = [&](std::int32_t node) {
      return expected("weighted_samples", node) * expected("impurity", node);
    };
    EXPECT_NEAR(cost(tree_.left[ours]) + cost(tree_.right[ours]), their_cost(left) + their_cost(right),
                1e-9 * (1 + their_cost(theirs)));
  }

  const Tree& tree_;
  const Json& expected_;
  std::size_t outputs_;
  bool ties_ = false;
  int compared_ = 0;
};

TEST(ForestSklearnTrees, SplitBySplit) {
  int nodes = 0;
  int compared = 0;
  for (const Json& json : golden()["cases"]) {
    const Case each(json);
    SCOPED_TRACE(each.name);
    const bool stable = json["stable"];
    const int here = Comparison(each.forest.trees[0], json["nodes"], static_cast<std::size_t>(each.forest.outputs()))
                         .compare(!stable);
    compared += here;
    nodes += static_cast<int>(json["nodes"]["feature"].size());
    if (stable) {
      EXPECT_EQ(here, each.forest.trees[0].nodes());
    }
  }
  EXPECT_GT(compared, nodes * 9 / 10) << "too little was compared";
}

TEST(ForestSklearnTrees, Importances) {
  for (const Json& json : golden()["cases"]) {
    if (!json["stable"]) continue;
    const Case each(json);
    SCOPED_TRACE(each.name);
    const std::vector<double> importances = importances_of(each.forest.trees, each.forest.features);
    for (std::size_t feature = 0; feature < importances.size(); ++feature) {
      EXPECT_NEAR(importances[feature], json["importances"][feature].get<double>(), 1e-9);
    }
  }
}

TEST(ForestSklearnTrees, ExportText) {
  int texts = 0;
  for (const Json& json : golden()["cases"]) {
    if (!json["stable"] || json["text"] == "") continue;
    const Case each(json);
    SCOPED_TRACE(each.name);
    EXPECT_EQ(export_text(each.forest, 0, 10, 2), json["text"].get<std::string>());
    ++texts;
  }
  EXPECT_GT(texts, 20);
}

}  // namespace
}  // namespace overtake::forest::testing
