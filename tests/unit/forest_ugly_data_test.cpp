// SPDX-License-Identifier: MIT
// Forests on tiny and ugly data: the right answer, or an error that says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <set>

#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "unit/forest_ugly_data.hpp"

namespace overtake::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr float infinity = std::numeric_limits<float>::infinity();

ForestParameters few_trees(const Dataset& data, ForestKind kind = ForestKind::random_forest) {
  ForestParameters parameters = ForestParameters::defaults(kind, data.task);
  parameters.n_estimators = 8;
  return parameters;
}

/// One tree on all rows, every feature looked at.
ForestParameters one_tree(const Dataset& data) {
  ForestParameters parameters = few_trees(data);
  parameters.n_estimators = 1;
  parameters.bootstrap = false;
  parameters.max_features = parameter::none;
  return parameters;
}

/// How many rows of `data` the forest answers rightly.
std::int64_t right_answers(const Forest& forest, const Dataset& data) {
  const std::vector<std::int32_t> labels = forest.predict(data.inputs);
  return std::inner_product(labels.begin(), labels.end(), data.labels.begin(), std::int64_t{0}, std::plus<>(),
                            [](auto a, auto b) { return a == b ? 1 : 0; });
}

/// Every number of the forest and of its answers is finite; thresholds of leaves aside.
void expect_finite(const Forest& forest, const Dataset& data) {
  for (const Tree& tree : forest.trees) {
    for (const auto* numbers : {&tree.impurity, &tree.weighted_samples, &tree.value}) {
      for (const double number : *numbers) ASSERT_TRUE(std::isfinite(number));
    }
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] >= 0) {
        ASSERT_FALSE(std::isnan(tree.threshold[node]));
      }
    }
  }
  for (const double number : forest.feature_importances) ASSERT_TRUE(std::isfinite(number));
  const std::vector<double> answers =
      forest.classes > 0 ? forest.predict_proba(data.inputs) : forest.predict_values(data.inputs);
  for (const double number : answers) ASSERT_TRUE(std::isfinite(number));
}

/// What the error says.
template <typename Error>
std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error of this kind";
}

std::string data_complaint(const Dataset& data, const ForestParameters& parameters) {
  return complaint<DataError>([&] { (void)train_forest(parameters, data); });
}

TEST(ForestUglyData, EverySetGivesFiniteNumbers) {
  for (const UglySet& set : ugly_sets()) {
    for (const ForestKind kind : {ForestKind::random_forest, ForestKind::extra_trees}) {
      SCOPED_TRACE(set.name);
      ForestParameters parameters = few_trees(set.data, kind);
      parameters.oob_score = parameters.bootstrap;
      expect_finite(train_forest(parameters, set.data), set.data);
      if (kind == ForestKind::random_forest && set.data.classes > 0) {
        parameters.set("class_weight", std::string("balanced_subsample"));
        parameters.set("criterion", std::string("entropy"));
        expect_finite(train_forest(parameters, set.data), set.data);
      }
    }
  }
}

TEST(ForestUglyData, OneRow) {
  for (const UglySet& set : ugly_sets()) {
    if (set.data.rows != 1) continue;
    const Forest forest = train_forest(few_trees(set.data), set.data);
    for (const Tree& tree : forest.trees) EXPECT_EQ(tree.nodes(), 1);
    if (set.data.classes > 0) {
      EXPECT_EQ(right_answers(forest, set.data), 1) << set.name;
    } else {
      EXPECT_EQ(forest.predict_values(set.data.inputs), std::vector<double>{-3.5});
    }
  }
}

TEST(ForestUglyData, OneClass) {
  const Dataset data = table(1, column(50, [](auto row) { return row; }), std::vector<std::int32_t>(50, 2), 3);
  const Forest forest = train_forest(few_trees(data), data);
  EXPECT_EQ(right_answers(forest, data), 50);
  EXPECT_EQ(forest.feature_importances, std::vector<double>{0});
  EXPECT_EQ(std::vector<double>(forest.trees[0].value), (std::vector<double>{0, 0, 1}));
}

TEST(ForestUglyData, NothingToSplitOn) {
  for (const float cell : {5.0F, hole}) {
    const Dataset data = table(2, std::vector<float>(20, cell), {0, 1, 1, 0, 1, 1, 1, 0, 1, 1}, 2);
    const Forest forest = train_forest(one_tree(data), data);
    ASSERT_EQ(forest.trees[0].nodes(), 1);
    EXPECT_NEAR(forest.trees[0].value[1], 0.7, 1e-12);
    EXPECT_EQ(right_answers(forest, data), 7);
  }
  const Dataset data = table(2, {hole, 1, hole, 2, hole, 3, hole, 4}, {0, 0, 1, 1}, 2);
  const Forest forest = train_forest(one_tree(data), data);
  EXPECT_EQ(forest.trees[0].feature[0], 1);
  EXPECT_EQ(right_answers(forest, data), 4);
}

TEST(ForestUglyData, DuplicatesKeepTheirShares) {
  const Dataset data = duplicates();
  const Forest forest = train_forest(one_tree(data), data);
  EXPECT_EQ(forest.trees[0].nodes(), 5);
  const std::vector<double> shares = forest.predict_proba(data.inputs);
  EXPECT_DOUBLE_EQ(shares[0], 0.5);
  EXPECT_DOUBLE_EQ(shares[1], 0.5);
  EXPECT_DOUBLE_EQ(shares[5], 0);
  EXPECT_DOUBLE_EQ(shares[4], 1);
}

TEST(ForestUglyData, AThousandClasses) {
  const Dataset data = thousand_classes();
  const Forest forest = train_forest(one_tree(data), data);
  EXPECT_EQ(right_answers(forest, data), 2000);
  SearchOptions options;
  options.folds.n_splits = 2;
  options.metrics = {Metric::accuracy, Metric::f1_macro, Metric::neg_log_loss};
  options.fixed = {{"n_estimators", std::int64_t{3}}};
  const SearchResult result = search(data, made_grid({"max_depth=3,none"}), options);
  EXPECT_GT(result.rows[1].mean[0], 0.7);
  EXPECT_LT(result.rows[0].mean[0], 0.2);
}

TEST(ForestUglyData, TenThousandColumns) {
  const Dataset data = ten_thousand_columns();
  const Forest forest = train_forest(one_tree(data), data);
  EXPECT_EQ(forest.trees[0].feature[0], 6789);
  EXPECT_EQ(forest.trees[0].nodes(), 3);
  EXPECT_EQ(forest.feature_importances[6789], 1);
  EXPECT_GT(right_answers(train_forest(few_trees(data), data), data), 50);
}

TEST(ForestUglyData, MoreDistinctValuesThanBins) {
  // 256 bins, and with an option 65,535; more values than either.
  for (const auto& [rows, bins] : std::vector<std::pair<std::int64_t, int>>{{700, 256}, {70000, 256}, {70000, 65535}}) {
    const Dataset data = wave(rows);
    ForestParameters parameters = one_tree(data);
    parameters.max_bins = bins;
    const Forest forest = train_forest(parameters, data);
    const Tree& tree = forest.trees[0];
    std::set<double> thresholds;
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] >= 0) thresholds.insert(tree.threshold[node]);
    }
    EXPECT_LE(static_cast<int>(thresholds.size()), bins - 1);
    EXPECT_GT(static_cast<int>(thresholds.size()), bins / 2);
    const std::vector<double> answers = forest.predict_values(data.inputs);
    double worst = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      worst = std::max(worst, std::fabs(answers[row] - static_cast<double>(data.targets[row])));
    }
    EXPECT_LT(worst, 16.0 / bins) << rows << " rows in " << bins << " bins";  // 12 / bins a bin, and some are wider
    const std::vector<std::int32_t> leaves = forest.apply(data.inputs);
    std::vector<std::int32_t> reached(static_cast<std::size_t>(tree.nodes()), 0);
    for (const std::int32_t leaf : leaves) ++reached[leaf];
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] < 0) {
        ASSERT_EQ(reached[node], tree.samples[node]) << "leaf " << node;
      }
    }
  }
}

TEST(ForestUglyData, HugeAndTinyInputs) {
  const Dataset data = extremes();
  const Forest forest = train_forest(one_tree(data), data);
  EXPECT_EQ(right_answers(forest, data), data.rows);
  EXPECT_EQ(forest.trees[0].nodes(), 3);
  // The smallest number above 0 is another one than 0.
  EXPECT_GT(forest.trees[0].threshold[0], 0);
  EXPECT_LT(forest.trees[0].threshold[0], static_cast<double>(std::numeric_limits<float>::denorm_min()));
}

TEST(ForestUglyData, HugeAndTinyTargets) {
  for (const double scale : {8e37, 1e-37, 1.0}) {
    const Dataset data = numbers(1, column(40, [](auto row) { return row; }),
                                 column<double>(40, [&](auto row) { return scale * static_cast<double>(row % 5); }));
    const Forest forest = train_forest(one_tree(data), data);
    const std::vector<double> answers = forest.predict_values(data.inputs);
    for (std::size_t row = 0; row < 40; ++row) {
      EXPECT_NEAR(answers[row], static_cast<double>(data.targets[row]), 1e-6 * scale) << scale;
    }
  }
}

TEST(ForestUglyData, WeightsThatAreAlmostAllZero) {
  // Some trees draw no row that weighs anything.
  Dataset data = table(1, column(30, [](auto row) { return row; }), std::vector<std::int32_t>(30, 0), 2);
  data.labels[7] = 1;
  std::vector<float> weights(30, 0.0F);
  weights[3] = weights[7] = 1;
  ForestParameters parameters = few_trees(data);
  parameters.n_estimators = 60;
  parameters.max_samples = CountOrFraction(10);
  const Forest forest = train_forest(parameters, data, {}, weights);
  expect_finite(forest, data);
  const std::vector<double> shares = forest.predict_proba(data.inputs);
  for (std::size_t row = 0; row < 30; ++row) EXPECT_NEAR(shares[2 * row] + shares[2 * row + 1], 1, 1e-12);
  EXPECT_THROW((void)train_forest(parameters, data, {}, std::vector<float>(30, 0.0F)), DataError);
}

TEST(ForestUglyData, SearchesOverUglyDataGiveATable) {
  for (const UglySet& set : ugly_sets()) {
    if (set.data.rows < 6 || set.name == "a thousand classes" || set.name == "ten thousand columns") continue;
    SCOPED_TRACE(set.name);
    SearchOptions options;
    options.folds.n_splits = 2;
    options.fixed = {{"n_estimators", std::int64_t{3}}};
    const SearchResult result = search(set.data, made_grid({"max_depth=1,none"}), options);
    EXPECT_EQ(result.rows[1].failure, "");
    EXPECT_TRUE(result.best);
    for (const double score : result.rows[0].scores[0]) EXPECT_FALSE(std::isinf(score));
  }
}

// -- errors -----------------------------------------------------------------------------------------------------------

TEST(ForestUglyData, InfiniteInputsAreRefused) {
  for (const float bad : {infinity, -infinity}) {
    Dataset data = table(2, std::vector<float>(20, 1), {0, 1, 1, 0, 1, 1, 1, 0, 1, 1}, 2);
    data.inputs[7] = bad;
    EXPECT_THAT(data_complaint(data, few_trees(data)), AllOf(HasSubstr("infinit"), HasSubstr("row 3")));
    EXPECT_THAT(complaint<DataError>([&] { (void)search(data, made_grid({"max_depth=1,2"})); }), HasSubstr("infinit"));
  }
}

TEST(ForestUglyData, BadTargetsAreRefused) {
  Dataset data = numbers(1, {1, 2, 3}, {0, 1, -2});
  ForestParameters parameters = few_trees(data);
  parameters.criterion = Criterion::poisson;
  EXPECT_THAT(data_complaint(data, parameters), AllOf(HasSubstr("row 2"), HasSubstr("poisson")));
  data.targets = {0, 0, 0};
  EXPECT_THAT(data_complaint(data, parameters), HasSubstr("poisson"));
  for (const float bad : {hole, infinity, -infinity}) {
    data.targets = {0, bad, 0};
    EXPECT_THAT(data_complaint(data, few_trees(data)), HasSubstr("row 1"));
  }
  data.targets = {0, 1};
  EXPECT_THAT(data_complaint(data, few_trees(data)), HasSubstr("3"));
  const Dataset labels = table(1, {1, 2, 3}, {0, 3, 1}, 3);
  EXPECT_THAT(data_complaint(labels, few_trees(labels)), AllOf(HasSubstr("row 1"), HasSubstr("3")));
  const Dataset negative = table(1, {1, 2, 3}, {0, -1, 1}, 3);
  EXPECT_THAT(data_complaint(negative, few_trees(negative)), HasSubstr("-1"));
}

TEST(ForestUglyData, EmptyDataIsRefused) {
  const Dataset no_rows = table(2, {}, {}, 2);
  EXPECT_THAT(data_complaint(no_rows, few_trees(no_rows)), HasSubstr("no rows"));
  const Dataset no_features = table(0, {}, {0, 1}, 2);
  EXPECT_THAT(data_complaint(no_features, few_trees(no_features)), HasSubstr("no features"));
  const Dataset one = table(1, {1}, {0}, 1);
  EXPECT_THROW((void)search(one, {{}}), Error);
}

TEST(ForestUglyData, MoreThanThereIsIsRefused) {
  const Dataset data = table(2, {1, 2, 3, 4, 5, 6}, {0, 1, 0}, 2);
  ForestParameters parameters = few_trees(data);
  parameters.max_features = 3;
  EXPECT_THAT(data_complaint(data, parameters), AllOf(HasSubstr("max_features=3"), HasSubstr("2")));
  parameters = few_trees(data);
  parameters.max_samples = CountOrFraction(4);
  EXPECT_THAT(data_complaint(data, parameters), AllOf(HasSubstr("max_samples=4"), HasSubstr("3")));
  const Forest forest = train_forest(few_trees(data), data);
  EXPECT_THROW((void)forest.predict(std::vector<float>(3, 0.0F)), UsageError);
  EXPECT_THROW((void)forest.predict_values(data.inputs), UsageError);
}

}  // namespace
}  // namespace overtake::test
