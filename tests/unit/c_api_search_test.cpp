// SPDX-License-Identifier: MIT
// Searches: folds from elsewhere, scores of the training rows, predictions, and all of it through the C interface.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "c_api_support.hpp"
#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"

namespace overtake::test {
namespace {

using Json = nlohmann::json;

Dataset dataset(bool classes) {
  const Points points;
  Dataset data;
  data.task = classes ? Task::classification : Task::regression;
  data.rows = Points::rows;
  data.features = Points::features;
  data.classes = classes ? 3 : 0;
  data.inputs.assign(points.inputs.begin(), points.inputs.end());
  if (classes) data.labels = points.labels;
  if (!classes) data.targets = points.targets;
  return data;
}

const std::vector<Parameters> candidates = {{{"max_depth", std::int64_t{1}}}, {{"max_depth", std::int64_t{4}}}, {}};

SearchOptions small_search() {
  SearchOptions options;
  options.fixed = {{"n_estimators", std::int64_t{8}}};
  options.folds.n_splits = 3;
  return options;
}

TEST(GivenFolds, AreTheFoldsThatWereMadeInAnyOrder) {
  const Dataset data = dataset(true);
  SearchOptions options = small_search();
  const SearchResult expected = search(data, candidates, options);
  options.given_folds = make_folds(data, options.folds);
  for (Fold& fold : options.given_folds) std::reverse(fold.train.begin(), fold.train.end());
  const SearchResult found = search(data, candidates, options);
  for (std::size_t c = 0; c < candidates.size(); ++c) EXPECT_EQ(found.rows[c].scores, expected.rows[c].scores);
  EXPECT_EQ(forest_of(found.best.get()), forest_of(expected.best.get()));
}

TEST(GivenFolds, AreChecked) {
  const auto refused = [](std::vector<Fold> folds, const char* words) {
    expect_error<UsageError>([&] { (void)sorted_folds(std::move(folds), 10); }, {words});
  };
  refused({}, "no folds");
  refused({{{0, 1}, {2}}, {{}, {2}}}, "fold 1 has no rows to train on");
  refused({{{0, 1}, {}}}, "fold 0 has no rows to score");
  refused({{{0, 10}, {2}}}, "a row 10 to train on, expected 0 to 9");
  refused({{{0, 1}, {-1}}}, "a row -1 to score");
  refused({{{0, 3, 0}, {1}}}, "the row 0 twice");
  EXPECT_EQ(sorted_folds({{{3, 1}, {3, 1, 2}}}, 10), (std::vector<Fold>{{{1, 3}, {1, 2, 3}}}));
}

TEST(GivenFolds, BelongToAJournal) {
  const TempFolder folder;
  const Dataset data = dataset(true);
  SearchOptions options = small_search();
  options.journal = folder / "j.db";
  options.given_folds = make_folds(data, options.folds);
  (void)search(data, candidates, options);
  EXPECT_EQ(search(data, candidates, options).resumed_jobs, 9);
  std::swap(options.given_folds[0].test, options.given_folds[1].test);
  expect_error<DataError>([&] { (void)search(data, candidates, options); }, {"other folds"});
  options.train_scores = true;
  expect_error<UsageError>([&] { (void)search(data, candidates, options); }, {"journal", "training rows"});
}

TEST(Journal, GoesOnWhereAParameterIsFixedAndTried) {
  const TempFolder folder;
  const Dataset data = dataset(true);
  SearchOptions options = small_search();
  options.journal = folder / "j.db";
  const std::vector<Parameters> some = {{{"n_estimators", std::int64_t{2}}}, {}};
  const SearchResult first = search(data, some, options);
  const SearchResult again = search(data, some, options);
  EXPECT_EQ(again.resumed_jobs, 6);
  EXPECT_EQ(again.rows[1].scores, first.rows[1].scores);
  options.fixed = {{"n_estimators", std::int64_t{9}}};
  expect_error<DataError>([&] { (void)search(data, some, options); }, {"n_estimators (fixed)=8"});
}

/// Scores of models that are trained on each fold's rows and asked for them.
class TrainScores : public ::testing::TestWithParam<bool> {};

TEST_P(TrainScores, AreThoseOfTheModelOnItsRowsAndChangeNoOther) {
  const Dataset data = dataset(GetParam());
  SearchOptions options = small_search();
  const std::vector<Metric> metrics = GetParam() ? std::vector{Metric::accuracy, Metric::neg_log_loss, Metric::f1_macro}
                                                 : std::vector{Metric::r2, Metric::neg_mean_absolute_error};
  options.metrics = metrics;
  options.given_folds = make_folds(data, options.folds);
  const SearchResult plain = search(data, candidates, options);
  options.train_scores = options.keep_predictions = true;
  const SearchResult found = search(data, candidates, options);
  const std::int32_t outputs = GetParam() ? 3 : 1;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    EXPECT_EQ(found.rows[c].scores, plain.rows[c].scores) << c;
    EXPECT_TRUE(plain.rows[c].train_scores.empty());
    EXPECT_TRUE(plain.rows[c].predictions.empty());
    for (std::size_t f = 0; f < 3; ++f) {
      const Fold& fold = options.given_folds[f];
      auto parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
      parameters.n_estimators = 8;
      parameters.set(candidates[c]);
      const std::vector<double>& kept = found.rows[c].predictions[f];
      ASSERT_EQ(kept.size(), fold.test.size() * static_cast<std::size_t>(outputs));
      const std::vector<double>& trained_on = found.rows[c].train_predictions[f];
      ASSERT_EQ(trained_on.size(), fold.train.size() * static_cast<std::size_t>(outputs));
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        EXPECT_EQ(score_of(metrics[m], outcome_of(kept, data, fold.test), data, fold.test), found.rows[c].scores[m][f]);
        EXPECT_EQ(score_of(metrics[m], outcome_of(trained_on, data, fold.train), data, fold.train),
                  found.rows[c].train_scores[m][f]);
      }
    }
  }
  // Deep trees know their own rows: the last candidate has no limit.
  EXPECT_GT(found.rows[2].train_mean[0], found.rows[2].mean[0]);
  EXPECT_GT(found.rows[2].train_mean[0], found.rows[0].train_mean[0]);
  const Json json = Json::parse(to_json(found));
  EXPECT_EQ(json["cv_results_"]["mean_train_" + std::string(name_of(metrics[0]))][2], found.rows[2].train_mean[0]);
}

INSTANTIATE_TEST_SUITE_P(Tasks, TrainScores, ::testing::Bool());

TEST(TrainScoresAlone, OfARowThatTrainsAndIsScoredAreAlike) {
  const Dataset data = dataset(true);
  SearchOptions options = small_search();
  Fold all;
  for (std::int32_t row = 0; row < Points::rows; ++row) all.train.push_back(row);
  all.test = all.train;
  options.given_folds = {all};
  options.train_scores = true;
  const SearchResult found = search(data, candidates, options);
  for (const SearchRow& row : found.rows) EXPECT_EQ(row.scores, row.train_scores);
  EXPECT_FALSE(std::isnan(forecast_search(data, candidates, options).placement.predictions.at(0).seconds));
}

TEST(InvalidCandidates, FailAloneWhereThatIsAskedFor) {
  const Dataset data = dataset(true);
  SearchOptions options = small_search();
  const std::vector<Parameters> some = {{{"max_depth", std::int64_t{-1}}}, {}, {{"no_such", 1.5}}};
  expect_error<UsageError>([&] { (void)search(data, some, options); }, {"max_depth"});
  options.invalid_candidates_fail = true;
  (void)forecast_search(data, some, options);
  const SearchResult found = search(data, some, options);
  EXPECT_NE(found.rows[0].failure.find("max_depth: -1"), std::string::npos);
  EXPECT_NE(found.rows[2].failure.find("no_such"), std::string::npos);
  EXPECT_EQ(found.rows[1].failure, "");
  EXPECT_EQ(found.best_index, 1);
  EXPECT_EQ(search(data, {some[0]}, options).best_index, -1);
}

/// Three folds by the remainder of the row's number.
struct FoldRows {
  std::vector<std::int32_t> train, test;
  std::vector<std::int64_t> train_starts{0}, test_starts{0};
  FoldRows() {
    for (int fold = 0; fold < 3; ++fold) {
      for (std::int32_t row = 0; row < Points::rows; ++row) (row % 3 == fold ? test : train).push_back(row);
      train_starts.push_back(static_cast<std::int64_t>(train.size()));
      test_starts.push_back(static_cast<std::int64_t>(test.size()));
    }
  }
  [[nodiscard]] overtake_folds folds() const {
    return {3, train.data(), train_starts.data(), test.data(), test_starts.data()};
  }
};

constexpr const char* tried = R"([{"max_depth": 1}, {"max_depth": -1}, {}])";

TEST(CApiSearch, GivesScoresPredictionsAndTheBestModel) {
  const Points points;
  const DataHandle data = points.classes();
  const FoldRows rows;
  const overtake_folds folds = rows.folds();
  std::int64_t told = 0;
  const overtake_watch watch{nullptr,
                             [](void* context, const overtake_progress* now) {
                               EXPECT_EQ(now->total, 9);
                               *static_cast<std::int64_t*>(context) = now->done;
                             },
                             &told};
  const ResultHandle result = made<ResultHandle>([&](auto** handle) {
    return overtake_search(data.get(), tried, &folds,
                           R"({"fixed": {"n_estimators": 8}, "scoring": ["accuracy", "f1_macro"],
                               "refit_metric": "f1_macro", "train_scores": true, "predictions": true,
                               "invalid_candidates_fail": true, "device": "cpu", "seed": 3})",
                           &watch, handle);
  });
  EXPECT_EQ(told, 9);
  const Json json = Json::parse(text_made([&](auto** text) { return overtake_search_json(result.get(), text); }));
  EXPECT_EQ(json["refit_metric"], "f1_macro");
  EXPECT_EQ(json["failures"][0]["candidate"], 1);
  const double* values = nullptr;
  std::int64_t count = 0;
  for (const int of_training : {0, 1}) {
    const std::string split = of_training != 0 ? "split2_train_f1_macro" : "split2_test_f1_macro";
    ASSERT_EQ(overtake_search_scores(result.get(), "f1_macro", of_training, &values, &count), OVERTAKE_OK);
    ASSERT_EQ(count, 9);
    EXPECT_EQ(json["cv_results_"][split][2], values[8]);
    EXPECT_TRUE(std::isnan(values[5]));  // the last fold of the candidate that failed
  }
  ASSERT_EQ(overtake_search_predictions(result.get(), 2, 1, 0, &values, &count), OVERTAKE_OK);
  ASSERT_EQ(count, 20 * 3);
  int right = 0;
  for (int i = 0; i < 20; ++i) {
    right += std::max_element(values + 3 * i, values + 3 * i + 3) - (values + 3 * i) == points.labels[3 * i + 1];
  }
  EXPECT_EQ(json["cv_results_"]["split1_test_accuracy"][2], right / 20.0);
  ASSERT_EQ(overtake_search_predictions(result.get(), 2, 1, 1, &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, 40 * 3);
  ASSERT_EQ(overtake_search_predictions(result.get(), 1, 1, 0, &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, 0);
  const ModelHandle best = made<ModelHandle>([&](auto** model) { return overtake_search_best(result.get(), model); });
  const ModelHandle same =
      trained(data.get(), json["best_index_"] == 0 ? R"({"n_estimators": 8, "max_depth": 1, "random_state": 3})"
                                                   : R"({"n_estimators": 8, "random_state": 3})");
  EXPECT_EQ(predicted(best.get(), points.matrix(), 3), predicted(same.get(), points.matrix(), 3));
  EXPECT_NE(text_made([&](auto** text) { return overtake_search_html(result.get(), "a title", text); }).find("a title"),
            std::string::npos);
}

TEST(CApiSearch, AStopGivesWhatWasScored) {
  const Points points;
  const DataHandle data = points.classes();
  const StopHandle stop = made<StopHandle>([](auto** handle) { return overtake_stop_new(handle); });
  overtake_stop_request(stop.get());
  const overtake_watch watch{stop.get(), nullptr, nullptr};
  const ResultHandle result = made<ResultHandle>([&](auto** handle) {
    return overtake_search(data.get(), "[{}, {\"max_depth\": 2}]", nullptr, R"({"device": "cpu"})", &watch, handle);
  });
  const Json json = Json::parse(text_made([&](auto** text) { return overtake_search_json(result.get(), text); }));
  EXPECT_EQ(json["interrupted"], true);
  EXPECT_TRUE(json["best_index_"].is_null());
  overtake_model* model = nullptr;
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_best(result.get(), &model), "no candidate has a score");
}

TEST(CApiSearch, RefusesWhatIsWrong) {
  const Points points;
  const DataHandle data = points.classes();
  const DataHandle unlabelled = points.data();
  const FoldRows rows;
  const overtake_folds good = rows.folds();
  overtake_search_result* result = nullptr;
  const auto refused = [&](const char* list, const overtake_folds* folds, const char* settings, const char* words) {
    expect_status(OVERTAKE_USAGE_ERROR, overtake_search(data.get(), list, folds, settings, nullptr, &result), words);
  };
  refused(tried, &good, nullptr, "max_depth: -1");
  refused("[]", &good, nullptr, "no candidate");
  refused("{}", &good, nullptr, "no JSON list");
  refused("[3]", &good, nullptr, "an object of parameters");
  refused(nullptr, &good, nullptr, "no JSON list");
  refused("[{}]", &good, R"({"cv": 3})", "both folds and cv");
  refused("[{}]", &good, R"({"scoring": ["acuracy"]})", "acuracy");
  refused("[{}]", &good, R"({"scoring": ["r2"]})", "r2");
  refused("[{}]", &good, R"({"refit_metric": "f1_macro"})", "f1_macro");
  refused("[{}]", &good, R"({"estimator": "forest"})", "no estimator");
  refused("[{}]", &good, R"({"fixed": 3})", "fixed is no JSON object");
  refused("[{}]", &good, R"({"train_score": true})", "unknown setting");
  overtake_folds forged = good;
  forged.count = 0;
  refused("[{}]", &forged, nullptr, "expected at least 1");
  forged = good;
  forged.train_starts = nullptr;
  refused("[{}]", &forged, nullptr, "train_starts is NULL");
  const std::vector<std::int64_t> falling = {0, 20, 10, 30};
  forged = good;
  forged.test_starts = falling.data();
  refused("[{}]", &forged, nullptr, "test_starts: fold 1 goes from 20 to 10");
  forged = good;
  forged.test = nullptr;
  refused("[{}]", &forged, nullptr, "test is NULL");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search(unlabelled.get(), "[{}]", &good, nullptr, nullptr, &result),
                "neither labels");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search(nullptr, "[{}]", &good, nullptr, nullptr, &result), "data");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search(data.get(), "[{}]", &good, nullptr, nullptr, nullptr), "result");
  EXPECT_EQ(result, nullptr);
}

TEST(CApiSearch, WhatWasNotAskedForIsNotThere) {
  const Points points;
  const DataHandle data = points.numbers();
  const ResultHandle result = made<ResultHandle>([&](auto** handle) {
    return overtake_search(data.get(), R"([{"n_estimators": 3}])", nullptr, R"({"cv": 3, "refit": false})", nullptr,
                           handle);
  });
  const double* values = nullptr;
  std::int64_t count = -1;
  overtake_model* model = nullptr;
  overtake_text* text = nullptr;
  ASSERT_EQ(overtake_search_scores(result.get(), "r2", 0, &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, 3);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_scores(result.get(), "r2", 1, &values, &count), "not scored");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_scores(result.get(), "mse", 0, &values, &count),
                "does not score it");
  ASSERT_EQ(overtake_search_predictions(result.get(), 0, 0, 0, &values, &count), OVERTAKE_OK);
  EXPECT_EQ(count, 0);
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_predictions(result.get(), 1, 0, 0, &values, &count),
                "1 candidates");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_predictions(result.get(), 0, 3, 0, &values, &count), "fold 3");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_best(result.get(), &model), "no model");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_best(nullptr, &model), "result is NULL");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_json(nullptr, &text), "result is NULL");
  expect_status(OVERTAKE_USAGE_ERROR, overtake_search_html(result.get(), nullptr, &text), "title is NULL");
}

}  // namespace
}  // namespace overtake::test
