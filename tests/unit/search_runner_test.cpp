// SPDX-License-Identifier: MIT
// The search itself, with an estimator whose scores are known beforehand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"
#include "search/runner.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

using search_detail::Job;
using search_detail::JobRecord;

/// 5 candidates on 3 folds of 12 rows.
struct Bench {
  Dataset data = labelled({0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 2);
  std::vector<Parameters> candidates = depths(5);
  SearchOptions options = [] {
    SearchOptions o;
    o.folds.n_splits = 3;
    return o;
  }();
  std::vector<Fold> folds = make_folds(data, options.folds);
  FakeEstimator estimator{data, folds, candidates.size()};

  SearchResult run(std::span<const JobRecord> earlier = {}, search_detail::JobLog* log = nullptr) {
    SearchResult result = search_detail::checked_result(data, candidates, options);
    search_detail::run_search(result, {data, candidates, folds, options}, estimator, earlier, log);
    return result;
  }
};

/// The accuracy that FakeEstimator gives; every fold has 4 test rows.
double accuracy(std::int32_t candidate, std::int32_t fold) {
  return static_cast<double>(FakeEstimator::hits({candidate, fold}, 4)) / 4;
}

class Watcher final : public SearchObserver {
 public:
  std::vector<SearchPlan> plans;
  std::vector<SearchProgress> progress;
  void on_plan(const SearchPlan& plan) override { plans.push_back(plan); }
  void on_progress(const SearchProgress& p) override { progress.push_back(p); }
};

TEST(SearchRunner, TableAndWinner) {
  Bench bench;
  const SearchResult result = bench.run();
  ASSERT_EQ(result.rows.size(), 5U);
  std::vector<double> means;
  for (std::int32_t c = 0; c < 5; ++c) {
    const SearchRow& row = result.rows[static_cast<std::size_t>(c)];
    EXPECT_EQ(row.parameters, bench.candidates[static_cast<std::size_t>(c)]);
    EXPECT_TRUE(row.done);
    EXPECT_EQ(row.failure, "");
    ASSERT_EQ(row.scores.size(), 1U);
    EXPECT_EQ(row.scores[0], (std::vector<double>{accuracy(c, 0), accuracy(c, 1), accuracy(c, 2)}));
    means.push_back((accuracy(c, 0) + accuracy(c, 1) + accuracy(c, 2)) / 3);
    EXPECT_DOUBLE_EQ(row.mean[0], means.back());
    EXPECT_GT(row.mean_fit_seconds + row.mean_score_seconds, 0);
  }
  const auto best = std::max_element(means.begin(), means.end());
  EXPECT_EQ(result.best_index, best - means.begin());
  EXPECT_EQ(bench.estimator.refitted, std::vector<std::int32_t>{result.best_index});
  ASSERT_TRUE(result.best);
  EXPECT_EQ(forest_of(result.best.get()).features, result.best_index);
  EXPECT_EQ(result.metrics, std::vector<Metric>{Metric::accuracy});
  EXPECT_EQ(result.parameter_names, std::vector<std::string>{"max_depth"});
  EXPECT_EQ(result.estimator, "random-forest");
  EXPECT_EQ(result.device, "cpu");
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(bench.estimator.ran.size(), 15U);
}

TEST(SearchRunner, PlanTimingAndProgress) {
  Bench bench;
  Watcher watcher;
  bench.options.observer = &watcher;
  const SearchResult result = bench.run();
  ASSERT_EQ(watcher.plans.size(), 1U);
  EXPECT_EQ(watcher.plans[0].candidates, 5);
  EXPECT_EQ(watcher.plans[0].folds, 3);
  EXPECT_EQ(watcher.plans[0].jobs, 15);
  EXPECT_EQ(watcher.plans[0].batches, 4);
  EXPECT_EQ(watcher.plans[0].models, 4) << "the sum of Batch::models";
  EXPECT_EQ(watcher.plans[0].peak_bytes, 1000U);
  EXPECT_EQ(result.plan.launches, 20);
  EXPECT_DOUBLE_EQ(result.timing.compute, 1.0);
  EXPECT_GT(result.timing.wall, 0);
  ASSERT_EQ(watcher.progress.size(), 4U);
  EXPECT_EQ(watcher.progress[0].done, 4);
  EXPECT_EQ(watcher.progress[3].done, 15);
  EXPECT_EQ(watcher.progress[3].seconds_left, 0);
  // After four jobs only candidate 0 has all of its folds.
  EXPECT_EQ(watcher.progress[0].best, bench.candidates[0]);
  EXPECT_DOUBLE_EQ(watcher.progress[0].best_score, result.rows[0].mean[0]);
  EXPECT_EQ(watcher.progress[3].best, bench.candidates[static_cast<std::size_t>(result.best_index)]);
  EXPECT_GT(watcher.progress[0].fits_per_second, 0);
}

TEST(SearchRunner, NoBestBeforeTheFirstCandidateIsDone) {
  Bench bench;
  Watcher watcher;
  bench.options.observer = &watcher;
  bench.estimator.batch_jobs = 2;
  (void)bench.run();
  EXPECT_TRUE(std::isnan(watcher.progress.at(0).best_score));
  EXPECT_TRUE(watcher.progress.at(0).best.empty());
}

TEST(SearchRunner, RefusedAndFailedCandidatesAreRowsAndNeverWin) {
  Bench bench;
  const int plain_best = bench.run().best_index;
  const int second = (plain_best + 1) % 5;
  FakeEstimator estimator(bench.data, bench.folds, 5);
  estimator.refused[plain_best] = "max_features=70 is more than the 4 features";
  estimator.failing[second] = "it diverged";
  SearchResult result = search_detail::checked_result(bench.data, bench.candidates, bench.options);
  KeptLog log;
  search_detail::run_search(result, {bench.data, bench.candidates, bench.folds, bench.options}, estimator, {}, &log);
  const SearchRow& refused = result.rows[static_cast<std::size_t>(plain_best)];
  EXPECT_EQ(refused.failure, "max_features=70 is more than the 4 features");
  EXPECT_TRUE(refused.done);
  EXPECT_TRUE(std::isnan(refused.mean[0]));
  EXPECT_EQ(refused.rank[0], 4) << "two of five failed";
  const SearchRow& diverged = result.rows[static_cast<std::size_t>(second)];
  EXPECT_EQ(diverged.failure, "it diverged");
  EXPECT_EQ(diverged.rank[0], 4);
  EXPECT_NE(result.best_index, plain_best);
  EXPECT_NE(result.best_index, second);
  EXPECT_EQ(std::count_if(estimator.ran.begin(), estimator.ran.end(),
                          [&](const Job& job) { return job.candidate == plain_best; }),
            0)
      << "a refused candidate is not run";
  EXPECT_EQ(log.records.size(), 15U);
  EXPECT_EQ(log.sizes[0], 3U) << "refused jobs are recorded first, too";
}

TEST(SearchRunner, AllFailed) {
  Bench bench;
  for (std::int32_t c = 0; c < 5; ++c) bench.estimator.failing[c] = "no";
  const SearchResult result = bench.run();
  EXPECT_EQ(result.best_index, -1);
  EXPECT_FALSE(result.best);
  EXPECT_TRUE(bench.estimator.refitted.empty());
  for (const SearchRow& row : result.rows) EXPECT_EQ(row.rank[0], 1);
}

TEST(SearchRunner, FirstOfEqualsWins) {
  Bench bench;
  // hits() has a period of 5 in the candidate for 4 test rows: candidates 5 to 9 repeat 0 to 4.
  const int best = bench.run().best_index;
  bench.candidates = depths(10);
  FakeEstimator estimator(bench.data, bench.folds, 10);
  SearchResult result = search_detail::checked_result(bench.data, bench.candidates, bench.options);
  search_detail::run_search(result, {bench.data, bench.candidates, bench.folds, bench.options}, estimator);
  EXPECT_EQ(result.best_index, best);
  EXPECT_EQ(result.rows[static_cast<std::size_t>(best) + 5].rank[0], 1);
}

TEST(SearchRunner, StopsBetweenBatchesAndRefitsTheBestSoFar) {
  Bench bench;
  StopToken stop;
  bench.options.stop = &stop;
  bench.estimator.stop_after = &stop;
  bench.estimator.stop_batch = 1;
  const SearchResult result = bench.run();
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(bench.estimator.ran.size(), 8U);
  EXPECT_TRUE(result.rows[1].done);
  EXPECT_FALSE(result.rows[2].done) << "two of its three folds";
  EXPECT_EQ(result.rows[2].rank[0], 0);
  EXPECT_TRUE(std::isnan(result.rows[2].mean[0]));
  EXPECT_FALSE(std::isnan(result.rows[2].scores[0][0]));
  const int best = result.rows[0].mean[0] >= result.rows[1].mean[0] ? 0 : 1;
  EXPECT_EQ(result.best_index, best);
  EXPECT_EQ(bench.estimator.refitted, std::vector<std::int32_t>{best});
}

TEST(SearchRunner, AStopWithinABatchLeavesItsJobsAsIfNeverBegun) {
  const SearchResult whole = Bench().run();
  Bench bench;
  StopToken stop;
  bench.options.stop = &stop;
  bench.estimator.stop_within = &stop;
  bench.estimator.stop_batch = 1;
  KeptLog log;
  const SearchResult result = bench.run({}, &log);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(bench.estimator.ran.size(), 7U) << "all of the second batch but its last job";
  EXPECT_EQ(log.sizes, std::vector<std::size_t>{4});
  EXPECT_TRUE(result.rows[0].done);
  EXPECT_FALSE(result.rows[1].done) << "one of its three folds";
  EXPECT_TRUE(std::isnan(result.rows[1].scores[0][1]));
  EXPECT_EQ(result.best_index, 0);
  EXPECT_EQ(bench.estimator.refitted, std::vector<std::int32_t>{0});

  Bench rest;
  const SearchResult resumed = rest.run(log.records);
  EXPECT_EQ(rest.estimator.ran.size(), 11U);
  EXPECT_FALSE(resumed.interrupted);
  EXPECT_EQ(resumed.best_index, whole.best_index);
  for (std::size_t c = 0; c < 5; ++c) EXPECT_EQ(resumed.rows[c].scores, whole.rows[c].scores);
}

TEST(SearchRunner, WhoStopsMayDoWithoutTheRefit) {
  Bench bench;
  StopToken stop;
  bench.options.stop = &stop;
  bench.options.refit_stopped = false;
  bench.estimator.stop_after = &stop;
  bench.estimator.stop_batch = 1;
  const SearchResult result = bench.run();
  EXPECT_TRUE(result.interrupted);
  EXPECT_GE(result.best_index, 0);
  EXPECT_FALSE(result.best);
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_TRUE(bench.estimator.refitted.empty());
}

TEST(SearchRunner, AStopInTheRefitKeepsTheTableAndMakesNoForest) {
  const SearchResult whole = Bench().run();
  Bench bench;
  StopToken stop;
  bench.options.stop = &stop;
  bench.estimator.stop_in_refit = &stop;
  const SearchResult result = bench.run();
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.best_index, whole.best_index);
  EXPECT_FALSE(result.best);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("stopped while the best candidate"), std::string::npos);
  for (std::size_t c = 0; c < 5; ++c) EXPECT_EQ(result.rows[c].scores, whole.rows[c].scores);
}

TEST(SearchRunner, GoesOnWhereItWas) {
  Bench bench;
  KeptLog log;
  const SearchResult whole = bench.run({}, &log);
  ASSERT_EQ(log.records.size(), 15U);
  const std::vector<JobRecord> earlier(log.records.begin() + 3, log.records.begin() + 10);
  FakeEstimator estimator(bench.data, bench.folds, 5);
  SearchResult result = search_detail::checked_result(bench.data, bench.candidates, bench.options);
  KeptLog more;
  search_detail::run_search(result, {bench.data, bench.candidates, bench.folds, bench.options}, estimator, earlier,
                            &more);
  EXPECT_EQ(estimator.ran.size(), 8U);
  EXPECT_EQ(more.records.size(), 8U);
  EXPECT_EQ(result.resumed_jobs, 7);
  EXPECT_EQ(result.plan.jobs, 15);
  EXPECT_EQ(result.best_index, whole.best_index);
  for (std::size_t c = 0; c < 5; ++c) {
    EXPECT_EQ(result.rows[c].scores, whole.rows[c].scores);
    EXPECT_EQ(result.rows[c].rank, whole.rows[c].rank);
  }
  for (const Job& job : estimator.ran) {
    for (const JobRecord& record : earlier) EXPECT_FALSE(job == record.job) << "a job ran twice";
  }
}

TEST(SearchRunner, ErrorsOfTheDevicePassThroughAfterTheLog) {
  Bench bench;
  bench.estimator.throw_in_batch = 2;
  KeptLog log;
  EXPECT_THROW((void)bench.run({}, &log), DeviceError);
  EXPECT_EQ(log.records.size(), 8U) << "what was done is kept";
}

TEST(SearchRunner, AFailedRefitKeepsTheTable) {
  Bench bench;
  bench.estimator.refit_throws = true;
  const SearchResult result = bench.run();
  EXPECT_GE(result.best_index, 0);
  EXPECT_FALSE(result.best);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("no memory left"), std::string::npos);
  bench.options.refit = false;
  EXPECT_TRUE(bench.run().warnings.empty());
}

TEST(SearchRunner, SeveralMetrics) {
  Bench bench;
  bench.options.metrics = {Metric::balanced_accuracy, Metric::accuracy, Metric::recall};
  bench.options.refit_metric = 2;
  const SearchResult result = bench.run();
  ASSERT_EQ(result.rows[0].scores.size(), 3U);
  int best = 0;
  for (int c = 1; c < 5; ++c) {
    if (result.rows[static_cast<std::size_t>(c)].mean[2] > result.rows[static_cast<std::size_t>(best)].mean[2])
      best = c;
  }
  EXPECT_EQ(result.best_index, best);
  for (const SearchRow& row : result.rows) EXPECT_EQ(row.rank.size(), 3U);
}

TEST(SearchRunner, UndefinedScoresAreWarnedOf) {
  Bench bench;
  bench.options.folds.kind = FoldKind::k_fold;
  bench.data = labelled({0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1}, 2);
  bench.folds = make_folds(bench.data, bench.options.folds);
  bench.options.metrics = {Metric::recall, Metric::balanced_accuracy};
  SearchResult result = bench.run();
  EXPECT_TRUE(result.warnings.empty()) << "recall without positives is 0";
  // A metric that is NaN on fold 0 only.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<JobRecord> records;
  for (std::int32_t c = 0; c < 5; ++c) {
    for (std::int32_t f = 0; f < 3; ++f) records.push_back({{c, f}, {f == 0 ? nan : 1.0, 0.5}, ""});
  }
  result = bench.run(records);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("recall is not defined in fold 0"), std::string::npos);
  EXPECT_EQ(result.best_index, -1);
}

TEST(SearchRunner, WrongInputIsRefused) {
  const Bench bench;
  const auto check = [&](auto change) {
    Dataset data = bench.data;
    std::vector<Parameters> candidates = bench.candidates;
    SearchOptions options = bench.options;
    change(data, candidates, options);
    (void)search_detail::checked_result(data, candidates, options);
  };
  using D = Dataset;
  using C = std::vector<Parameters>;
  using O = SearchOptions;
  expect_error<UsageError>([&] { check([](D&, C& c, O&) { c.clear(); }); }, {"no candidate"});
  expect_error<DataError>([&] { check([](D& d, C&, O&) { d.labels.pop_back(); }); }, {"11 targets for 12 rows"});
  expect_error<DataError>([&] { check([](D& d, C&, O&) { d = D{}; }); }, {"no rows"});
  expect_error<UsageError>([&] { check([](D& d, C&, O&) { d.inputs.pop_back(); }); }, {"12 rows x 1 features"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.refit_metric = 1; }); }, {"refit metric"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.metrics = {Metric::r2}; }); }, {"r2 is for numbers"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.metrics = {Metric::f1, Metric::f1}; }); }, {"given twice"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.sample_weight = {1, 2}; }); }, {"2 numbers for 12 rows"});
  expect_error<DataError>([&] { check([](D&, C&, O& o) { o.sample_weight.assign(12, -1.0F); }); }, {"weight of row 0"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.feature_names = {"a", "b"}; }); }, {"2 names for 1"});
  expect_error<UsageError>([&] { check([](D&, C&, O& o) { o.class_names = {"a"}; }); }, {"class_names has 1 names"});
  expect_error<UsageError>([&] { check([](D&, C& c, O&) {
                                   c[0] = {{"max_depth", 3}, {"max_depth", 4}};
                                 }); },
                           {"max_depth is given twice"});
  EXPECT_NO_THROW(check([](D&, C&, O&) {}));
}

TEST(SearchBest, IsAskedForInVain) {
  const SearchResult nothing;
  EXPECT_THROW((void)best_score(nothing), UsageError);
  EXPECT_THROW((void)best_parameters(nothing), UsageError);
  EXPECT_THROW((void)forest_of(nothing.best.get()), UsageError);
  SearchOptions options;
  expect_error<UsageError>(
      [&] {
        check_candidates({{{"max_depth", std::int64_t{3}}, {"max_depth", parameter::none}}}, options);
      },
      {"max_depth is given twice"});
  expect_error<UsageError>([&] { check_candidates({{{"warm_start", true}}}, options); }, {"warm_start"});
  options.estimator = "random-tree";
  expect_error<UsageError>([&] { check_candidates({{}}, options); }, {"random-tree", "random-forest"});
  options.estimator = "mlp";
  expect_error<UsageError>([&] { check_candidates({{}}, options); }, {"there is no estimator \"mlp\""});
}

}  // namespace
}  // namespace overtake::test
