// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "data_support.hpp"
#include "overtake/search.hpp"
#include "search/result/results.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

std::vector<std::int32_t> all_rows(const Dataset& data) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(data.rows));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

FoldOutcome outcome_of(const nlohmann::json& golden) {
  FoldOutcome outcome;
  if (golden["task"] == "regression") {
    outcome.squared_error = golden["squared_error"];
    outcome.absolute_error = golden["absolute_error"];
  } else {
    outcome.confusion = golden["confusion"].get<std::vector<std::int64_t>>();
    outcome.predictions = golden["probabilities"].get<std::vector<double>>();
  }
  return outcome;
}

Dataset data_of(const nlohmann::json& golden) {
  if (golden["task"] == "regression") return numbered(golden["targets"].get<std::vector<double>>());
  return labelled(golden["labels"].get<std::vector<std::int32_t>>(), golden["classes"]);
}

TEST(SearchMetrics, ScoresAreScikitLearns) {
  std::set<std::string> seen;
  for (const auto& golden : sklearn_answers<nlohmann::json>()["scores"]) {
    const Dataset data = data_of(golden);
    const FoldOutcome outcome = outcome_of(golden);
    for (const auto& [name, expected] : golden["scores"].items()) {
      SCOPED_TRACE(golden["name"].get<std::string>() + ", " + name);
      seen.insert(name);
      const double score = score_of(parse_metric(name), outcome, data, all_rows(data));
      if (expected.is_null()) {
        EXPECT_TRUE(std::isnan(score)) << score;
      } else {
        EXPECT_NEAR(score, expected.get<double>(), 1e-13 * std::max(1.0, std::abs(expected.get<double>())));
      }
    }
  }
  EXPECT_EQ(seen.size(), 17U) << "a metric has no golden value";
}

/// The rows that are scored need not be all, nor in front.
TEST(SearchMetrics, OnlyTestRowsCount) {
  const Dataset data = labelled({0, 1, 0, 1, 1, 0}, 2);
  const std::vector<std::int32_t> test = {1, 4, 5};
  FoldOutcome outcome;
  outcome.predictions = {0.2, 0.8, 0.9, 0.1, 0.5, 0.5};
  EXPECT_DOUBLE_EQ(score_of(Metric::roc_auc, outcome, data, test), 0.5);
  EXPECT_DOUBLE_EQ(score_of(Metric::neg_log_loss, outcome, data, test),
                   (std::log(0.8) + std::log(0.1) + std::log(0.5)) / 3);
  const Dataset numbers = numbered({100, 1, 100, 3});
  outcome.squared_error = 1;
  EXPECT_DOUBLE_EQ(score_of(Metric::r2, outcome, numbers, std::vector<std::int32_t>{1, 3}), 0.5);
}

/// Which class f1, precision, recall and roc_auc are about, by the scorers of scikit-learn.
TEST(SearchMetrics, PositiveClassesAreScikitLearns) {
  int refused = 0;
  for (const auto& golden : sklearn_answers<nlohmann::json>()["scorers"]) {
    const auto names = golden["names"].get<std::vector<std::string>>();
    const auto truth = golden["truth"].get<std::vector<std::int32_t>>();
    const auto shares = golden["shares"].get<std::vector<double>>();
    const auto counts = class_counts(golden["guess"].get<std::vector<std::int32_t>>(), truth, 2);
    for (const auto& [name, expected] : golden["scores"].items()) {
      SCOPED_TRACE(names[0] + ", " + names[1] + ", " + name);
      const Metric metric = parse_metric(name);
      if (expected.is_null()) {
        ++refused;
        expect_error<UsageError>([&] { (void)positive_class(metric, names); },
                                 {names[0], names[1], "--positive-class " + names[1], name});
        continue;
      }
      const std::int32_t positive = positive_class(metric, names);
      const double score = needs_probabilities(metric) ? score_of_probabilities(metric, shares, truth, 2, positive)
                                                       : score_of_counts(metric, counts, positive);
      EXPECT_NEAR(score, expected.get<double>(), 1e-14);
    }
  }
  EXPECT_EQ(refused, 6);
}

TEST(SearchMetrics, APositiveClassMayBeNamed) {
  const std::vector<std::string> names = {"no", "yes"};
  EXPECT_EQ(positive_class(Metric::f1, names, "yes"), 1);
  EXPECT_EQ(positive_class(Metric::f1, names, "no"), 0);
  EXPECT_EQ(positive_class(Metric::roc_auc, names), 1);
  EXPECT_EQ(positive_class(Metric::roc_auc, names, "no"), 0);
  EXPECT_EQ(positive_class(Metric::recall, {}), 1);
  expect_error<UsageError>([&] { (void)positive_class(Metric::f1, names, "Yes"); }, {"Yes", "no, yes"});
  EXPECT_EQ(positive_class(Metric::f1, std::vector<std::string>{"1.0", "2"}), 0);
  EXPECT_EQ(positive_class(Metric::f1, std::vector<std::string>{"1", "b"}, "b"), 1);
  EXPECT_EQ(positive_class(Metric::f1, std::vector<std::string>{"0.0", "1.0"}, "1"), 1);
  EXPECT_EQ(positive_class(Metric::f1,
                           std::vector<std::string>{"\xE2\x88\x92"
                                                    "1",
                                                    "1"},
                           "-1"),
            0);
  EXPECT_EQ(positive_class(Metric::f1, std::vector<std::string>{"1", "1.0"}, "1.0"), 1);
  expect_error<UsageError>(
      [] {
        (void)positive_class(Metric::f1, std::vector<std::string>{"1", "1.0"}, "01");
      },
      {"01"});
  expect_error<UsageError>([&] { (void)positive_class(Metric::f1, std::vector<std::string>{"1", "b"}); }, {"1, b"});
  expect_error<UsageError>([&] { (void)positive_class(Metric::f1, std::vector<std::string>{"01", "02"}); }, {"01, 02"});
}

/// The sums of train, predict and search are one: what a fold measures is what the answers of its rows say.
TEST(SearchMetrics, SumsAndAnswersAgree) {
  std::vector<double> truth, predicted;
  for (int i = 0; i < 1000; ++i) {
    truth.push_back(1e9 + i * 0.37);
    predicted.push_back(truth.back() + std::sin(i));
  }
  const ErrorSums sums = error_sums(predicted, truth);
  FoldOutcome outcome;
  outcome.squared_error = sums.squared;
  const Dataset data = numbered(truth);
  EXPECT_EQ(score_of(Metric::r2, outcome, data, all_rows(data)), r2(predicted, truth));
  EXPECT_LT(r2(predicted, truth), 1);
  expect_error<UsageError>([&] { (void)r2(std::vector<double>{1}, truth); }, {"1 predictions for 1000 rows"});
  const std::vector<std::int32_t> labels = {0, 2, 1}, guess = {0, 1, 1};
  EXPECT_DOUBLE_EQ(accuracy(guess, labels), 2.0 / 3);
  EXPECT_TRUE(std::isnan(accuracy({}, {})));
  expect_error<UsageError>([&] { (void)accuracy(labels, std::vector<std::int32_t>{0, 0, -1}); }, {"a label is -1"});
}

/// Equal numbers whose mean is not one of them in double: their spread is 0 all the same.
TEST(SearchMetrics, ConstantTargets) {
  const std::vector<double> constant(7, 0.1);
  EXPECT_EQ(r2(constant, constant), 1);
  EXPECT_EQ(r2(std::vector<double>(7, 0.2), constant), 0);
  EXPECT_TRUE(std::isnan(r2(std::vector<double>{1}, std::vector<double>{1})));
}

TEST(SearchMetrics, FailuresAndEmptyFoldsHaveNoScore) {
  const Dataset data = labelled({0, 1}, 2);
  FoldOutcome outcome;
  outcome.failure = "it did not fit";
  EXPECT_TRUE(std::isnan(score_of(Metric::accuracy, outcome, data, all_rows(data))));
  outcome.failure.clear();
  outcome.confusion = {0, 0, 0, 0};
  EXPECT_TRUE(std::isnan(score_of(Metric::accuracy, outcome, data, {})));
  EXPECT_TRUE(std::isnan(score_of(Metric::f1_macro, outcome, data, {})));
  EXPECT_TRUE(std::isnan(score_of(Metric::neg_log_loss, outcome, data, {})));
  outcome.confusion.clear();
  EXPECT_THROW((void)score_of(Metric::accuracy, outcome, data, all_rows(data)), InternalError);
  EXPECT_THROW((void)score_of(Metric::roc_auc, outcome, data, all_rows(data)), InternalError);
}

TEST(SearchMetrics, Names) {
  EXPECT_EQ(parse_metric("mse"), Metric::neg_mean_squared_error);
  EXPECT_EQ(parse_metric("rmse"), Metric::neg_root_mean_squared_error);
  EXPECT_EQ(parse_metric("mae"), Metric::neg_mean_absolute_error);
  EXPECT_EQ(parse_metric("mean_squared_error"), Metric::neg_mean_squared_error);
  EXPECT_EQ(parse_metric("log_loss"), Metric::neg_log_loss);
  EXPECT_EQ(parse_metric("log-loss"), Metric::neg_log_loss);
  EXPECT_EQ(name_of(Metric::roc_auc_ovr), "roc_auc_ovr");
  expect_error<UsageError>([] { (void)parse_metric("acuracy"); }, {"did you mean accuracy?", "f1_macro"});
  expect_error<UsageError>([] { (void)parse_metric(""); }, {"unknown metric"});
}

TEST(SearchMetrics, TaskAndClassesMustFit) {
  const Dataset three = labelled({0, 1, 2}, 3);
  const Dataset numbers = numbered({1, 2});
  FoldOutcome outcome;
  expect_error<UsageError>([&] { (void)score_of(Metric::f1, outcome, three, {}); }, {"two classes", "Use f1_macro"});
  expect_error<UsageError>([&] { (void)score_of(Metric::precision, outcome, three, {}); }, {"Use precision_macro"});
  expect_error<UsageError>([&] { (void)score_of(Metric::roc_auc, outcome, three, {}); }, {"Use roc_auc_ovr"});
  expect_error<UsageError>([&] { (void)score_of(Metric::r2, outcome, three, {}); }, {"the target is a class"});
  expect_error<UsageError>([&] { (void)score_of(Metric::accuracy, outcome, numbers, {}); }, {"the target is a number"});
  EXPECT_EQ(default_metric(Task::classification), Metric::accuracy);
  EXPECT_EQ(default_metric(Task::regression), Metric::r2);
  EXPECT_TRUE(is_for(Metric::r2, Task::regression));
  EXPECT_FALSE(is_for(Metric::r2, Task::classification));
  EXPECT_TRUE(needs_probabilities(Metric::neg_log_loss));
  EXPECT_FALSE(needs_probabilities(Metric::f1_macro));
}

TEST(SearchResults, MeansSpreadsAndRanksAreScikitLearns) {
  for (const auto& golden : sklearn_answers<nlohmann::json>()["tables"]) {
    std::vector<double> means;
    for (std::size_t c = 0; c < golden["scores"].size(); ++c) {
      std::vector<double> scores;
      for (const auto& value : golden["scores"][c]) scores.push_back(number_of(value));
      means.push_back(search_detail::mean_of(scores));
      const double deviation = search_detail::deviation_of(scores, means.back());
      const double mean = number_of(golden["mean"][c]);
      if (std::isnan(mean)) {
        EXPECT_TRUE(std::isnan(means.back()));
        EXPECT_TRUE(std::isnan(deviation));
      } else {
        EXPECT_EQ(means.back(), mean) << "bit for bit: ranks depend on it";
        EXPECT_EQ(deviation, golden["std"][c].get<double>());
      }
    }
    EXPECT_EQ(search_detail::ranks_of(means), golden["rank"].get<std::vector<int>>());
  }
}

/// Means that differ by rounding alone tie; a tie is with the largest of its group, so that it cannot creep.
TEST(SearchResults, TiesAreRelative) {
  EXPECT_EQ(search_detail::ranks_of(std::vector<double>{0.9, 0.9 * (1 - 9e-13), 0.9 * (1 - 1.8e-12), 0.5}),
            (std::vector<int>{1, 1, 3, 4}));
  EXPECT_EQ(search_detail::ranks_of(std::vector<double>{-2e20, -2e20 * (1 - 5e-13), -2e20 * (1 + 3e-12)}),
            (std::vector<int>{1, 1, 3}));
  EXPECT_EQ(search_detail::ranks_of(std::vector<double>{0, 1e-300, -0.0}), (std::vector<int>{2, 1, 2}));
}

TEST(SearchResults, RanksOfOddValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(search_detail::ranks_of(std::vector<double>{nan, -infinity, 1, nan, 1, 2}),
            (std::vector<int>{5, 4, 2, 5, 2, 1}));
  EXPECT_EQ(search_detail::ranks_of({}), std::vector<int>{});
  EXPECT_TRUE(std::isnan(search_detail::mean_of({})));
}

}  // namespace
}  // namespace overtake::test
