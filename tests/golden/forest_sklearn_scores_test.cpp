// SPDX-License-Identifier: MIT
// Forests score what scikit-learn's score on the same folds, and a single tree is its tree, node by node.
#include <cmath>

#include "overtake/search.hpp"
#include "sklearn_scores.hpp"

namespace overtake::test {
namespace {

struct Spread {
  double mean = 0, variance_of_mean = 0;
};

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / n;
  for (const double value : values) spread.variance_of_mean += std::pow(value - spread.mean, 2) / (n - 1) / n;
  return spread;
}

/// One case of sklearn_scores.json.
class SklearnScores : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SklearnScores, OfTheSameFolds) {
  const Json& json = sklearn_scores()["scores"][GetParam()];
  const Dataset data = sklearn_set(json["data"]);
  const auto expected = json["scores"].get<std::vector<double>>();
  SearchOptions options;
  options.estimator = json["estimator"] == "extra-trees" ? ForestKind::extra_trees : ForestKind::random_forest;
  options.fixed = parameters_of(json["parameters"]);
  options.fixed.emplace_back("n_estimators", sklearn_scores()["n_estimators"].get<std::int64_t>());
  options.refit = false;
  std::vector<Parameters> seeds;
  for (std::size_t seed = 0; seed < expected.size(); ++seed) {
    seeds.push_back({{"random_state", static_cast<std::int64_t>(seed)}});
  }
  const SearchResult result = search(data, seeds, options);
  std::vector<double> scores;
  for (const SearchRow& row : result.rows) scores.push_back(row.mean.at(0));
  const Spread ours = spread_of(scores);
  const Spread theirs = spread_of(expected);
  const double error = std::sqrt(ours.variance_of_mean + theirs.variance_of_mean);
  const double difference = ours.mean - theirs.mean;
  RecordProperty("points", std::to_string(100 * difference));
  if (std::getenv("SHOW")) printf("%-18s %-14s %s ours %.4f theirs %.4f diff %.2f points, %.1f se\n", json["data"].get<std::string>().c_str(), json["estimator"].get<std::string>().c_str(), json["parameters"].dump().c_str(), ours.mean, theirs.mean, 100*difference, difference/error);
  EXPECT_LE(std::fabs(difference), 2 * error) << ours.mean << " against " << theirs.mean;
  EXPECT_LE(std::fabs(difference), 0.005) << ours.mean << " against " << theirs.mean;
}

INSTANTIATE_TEST_SUITE_P(Cases, SklearnScores, ::testing::Range(std::size_t{0}, sklearn_scores()["scores"].size()),
                         [](const auto& each) {
                           const Json& json = sklearn_scores()["scores"][each.param];
                           const bool extra = json["estimator"] == "extra-trees";
                           return std::to_string(each.param) + "_" + json["data"].get<std::string>() +
                                  (extra ? "_extra_trees" : "");
                         });

/// Walks down both trees.
class Walk {
 public:
  Walk(const Tree& tree, const Json& nodes) : tree_(tree), nodes_(nodes) { visit(0); }
  [[nodiscard]] int compared() const { return compared_; }

 private:
  /// Compares our node with scikit-learn's next one; both are in depth-first order.
  void visit(std::int32_t ours) {
    const std::size_t theirs = next_++;
    SCOPED_TRACE("node " + std::to_string(ours) + ", scikit-learn's " + std::to_string(theirs));
    ++compared_;
    ASSERT_EQ(tree_.samples[ours], nodes_["samples"][theirs].get<int>());
    EXPECT_NEAR(tree_.impurity[ours], nodes_["impurity"][theirs].get<double>(), 1e-7 * (1 + tree_.impurity[0]));
    const auto feature = nodes_["feature"][theirs].get<std::int32_t>();
    const Json& wanted = nodes_["threshold"][theirs];
    const double threshold = wanted.is_null() ? std::numeric_limits<double>::infinity() : wanted.get<double>();
    if (nodes_["tie"][theirs] == 1) {
      ASSERT_GE(tree_.feature[ours], 0);
      if (tree_.feature[ours] != feature || tree_.threshold[ours] != threshold) return skip(theirs);
    }
    ASSERT_EQ(tree_.feature[ours], feature);
    if (feature < 0) return;
    ASSERT_EQ(tree_.threshold[ours], threshold);
    ASSERT_EQ(tree_.nan_left[ours], nodes_["missing_left"][theirs].get<int>());
    visit(tree_.left[ours]);
    if (!::testing::Test::HasFatalFailure()) visit(tree_.right[ours]);
  }

  /// Passes over what scikit-learn has below a node.
  void skip(std::size_t node) {
    int open = nodes_["feature"][node].get<int>() < 0 ? 0 : 2;
    while (open > 0) open += nodes_["feature"][next_++].get<int>() < 0 ? -1 : 1;
  }

  const Tree& tree_;
  const Json& nodes_;
  std::size_t next_ = 0;
  int compared_ = 0;
};

TEST(SklearnTrees, AreOursSplitBySplitTiesAside) {
  int compared = 0;
  int nodes = 0;
  for (const Json& json : sklearn_scores()["trees"]) {
    SCOPED_TRACE(json["data"].get<std::string>() + " " + json["criterion"].get<std::string>());
    const Dataset data = sklearn_set(json["data"]);
    ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
    parameters.set("criterion", json["criterion"].get<std::string>());
    parameters.set(parameters_of(json["parameters"]));
    parameters.n_estimators = 1;
    parameters.bootstrap = false;
    parameters.max_features = {MaxFeatures::Kind::all, 0};
    parameters.max_bins = 65535;
    const Forest forest = train_forest(parameters, data);
    const int here = Walk(forest.trees[0], json["nodes"]).compared();
    const auto all = static_cast<int>(json["nodes"]["feature"].size());
    if (std::getenv("SHOW")) printf("%s %s %d of %d\n", json["data"].get<std::string>().c_str(), json["criterion"].get<std::string>().c_str(), here, all);
    EXPECT_GE(here, all / 2);
    compared += here;
    nodes += all;
    if (HasFailure()) return;
  }
  EXPECT_GT(compared, nodes * 4 / 5) << "of " << nodes;
}

}  // namespace
}  // namespace overtake::test
