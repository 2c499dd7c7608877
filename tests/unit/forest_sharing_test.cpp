// SPDX-License-Identifier: MIT
// Candidates that come from one grown forest score, bit for bit, what they score when each grows its own.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "backend/forest_problem.hpp"
#include "forest/host/grower.hpp"
#include "forest/model/resolve.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"

namespace overtake {
namespace {

using forest::ForestJob;
using forest::Problem;
using forest::View;

using forest::testing::ProblemShape;

// -- growers ----------------------------------------------------------------------------------------------------------

/// A view and the job that grows nothing more than it needs.
struct Candidate {
  ForestJob job;
  View view;
};

Candidate random_candidate(const ForestJob& like, std::mt19937& random) {
  const auto one_of = [&](std::initializer_list<std::int32_t> values) {
    return *(values.begin() + static_cast<std::ptrdiff_t>(random() % values.size()));
  };
  Candidate candidate{like, {}};
  candidate.job.trees = one_of({1, 2, 5, 9});
  candidate.job.max_depth = one_of({1, 2, 3, 6, INT32_MAX});
  candidate.job.min_samples_split = one_of({2, 3, 10, 40, 1000});
  candidate.view.trees = candidate.job.trees;
  candidate.view.max_depth = candidate.job.max_depth;
  candidate.view.min_samples_split = candidate.job.min_samples_split;
  if (random() % 4 == 0) candidate.view.min_impurity_decrease = one_of({1, 5, 20}) / 1000.0;
  if (random() % 4 == 0) candidate.view.max_leaf_nodes = one_of({2, 5, 17});
  if (random() % 4 == 0) candidate.view.ccp_alpha = one_of({1, 4, 16}) / 1000.0;
  return candidate;
}

void expect_same(const FoldOutcome& shared, const FoldOutcome& alone) {
  EXPECT_EQ(shared.confusion, alone.confusion);
  EXPECT_EQ(shared.predictions, alone.predictions);
  EXPECT_EQ(shared.squared_error, alone.squared_error);
  EXPECT_EQ(shared.absolute_error, alone.absolute_error);
}

void compare(const ProblemShape& shape, forest::SplitRule rule, bool bootstrap) {
  const Problem problem = forest::testing::make_problem(shape);
  std::mt19937 random(shape.seed);
  std::vector<ForestJob> jobs;
  std::vector<View> views;
  std::vector<Candidate> candidates;
  for (std::int32_t fold = 0; fold < shape.folds; ++fold) {
    ForestJob like = forest::testing::make_job(problem, fold);
    like.rule = rule;
    like.bootstrap = bootstrap;
    jobs.push_back(like);
    jobs.back().trees = 1;
    jobs.back().max_depth = 1;
    jobs.back().min_samples_split = 1000;
    for (int i = 0; i < 12; ++i) {
      candidates.push_back(random_candidate(like, random));
      ASSERT_TRUE(forest::can_share(jobs.back(), candidates.back().job));
      forest::widen(jobs.back(), candidates.back().job);
      views.push_back(candidates.back().view);
      views.back().job = fold;
    }
  }
  const auto grower = forest::make_host_grower(problem, 0);
  const std::vector<FoldOutcome> shared = grower->score(jobs, views, true, nullptr).value();
  ASSERT_EQ(shared.size(), candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    SCOPED_TRACE("candidate " + std::to_string(i) + " of problem " + std::to_string(shape.seed));
    const std::vector<FoldOutcome> alone =
        grower->score({&candidates[i].job, 1}, {&candidates[i].view, 1}, true, nullptr).value();
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_FALSE(alone[0].predictions.empty());
    expect_same(shared[i], alone[0]);
    if (::testing::Test::HasFailure()) return;
  }
}

class ForestSharing : public ::testing::TestWithParam<Criterion> {};

TEST_P(ForestSharing, AWiderJobHoldsEveryNarrowerOne) {
  const Criterion criterion = GetParam();
  const bool for_classes = criterion == Criterion::gini || criterion == Criterion::entropy;
  for (std::uint32_t seed = 1; seed <= 12 && !HasFailure(); ++seed) {
    ProblemShape shape;
    shape.seed = seed;
    shape.rows = 120;
    shape.classes = for_classes ? 3 : 0;
    shape.positive = criterion == Criterion::poisson;
    shape.missing = seed % 2 == 0 ? 0.15 : 0;
    shape.weighted = seed % 3 == 0;
    shape.balanced = for_classes && seed % 4 == 0;
    shape.folds = seed % 5 == 0 ? 1 : 3;
    forest::SplitRule rule;
    rule.criterion = criterion;
    rule.random_thresholds = seed % 3 == 1;
    rule.max_features = 1 + static_cast<std::int32_t>(seed % 5);
    rule.min_samples_leaf = seed % 4 == 3 ? 4 : 1;
    compare(shape, rule, seed % 3 != 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Criteria, ForestSharing,
                         ::testing::Values(Criterion::gini, Criterion::entropy, Criterion::squared_error,
                                           Criterion::friedman_mse, Criterion::poisson),
                         [](const auto& each) { return std::string(name_of(each.param)); });

// -- searches ---------------------------------------------------------------------------------------------------------

/// Blobs on a grid of halves: every value is a bin of its own, in a fold as in all rows.
Dataset blobs(Task task) {
  std::mt19937 random(11);
  Dataset data;
  data.task = task;
  data.rows = 150;
  data.features = 6;
  data.classes = task == Task::classification ? 3 : 0;
  for (std::int64_t row = 0; row < data.rows; ++row) {
    const auto label = static_cast<std::int32_t>(row % 3);
    float sum = 0;
    for (std::int64_t f = 0; f < data.features; ++f) {
      const auto noise = static_cast<std::int32_t>(random() % 9) - 4;
      data.inputs.push_back(static_cast<float>(label * (f % 3 == 0 ? 3 : 1) + noise) / 2);
      sum += data.inputs.back();
    }
    if (task == Task::classification) data.labels.push_back(random() % 8 == 0 ? 0 : label);
    // Numbers of very different sizes: rounding shows where the fixed point of two fits differs.
    if (task == Task::regression)
      data.targets.push_back(std::exp(2 * sum) * (1 + static_cast<float>(random() % 999) / 7));
  }
  return data;
}

std::vector<Parameters> grid(const std::vector<std::string>& axes) {
  std::vector<GridAxis> parsed;
  for (const std::string& axis : axes) parsed.push_back(parse_grid_axis(axis));
  return grid_candidates(parsed);
}

const std::vector<std::string> all_limits = {"n_estimators=3,7",         "max_depth=none,2,4",
                                             "min_samples_split=2,12",   "min_impurity_decrease=0.0,0.01",
                                             "ccp_alpha=0.0,0.005,0.02", "max_leaf_nodes=none,6"};

SearchOptions three_folds() {
  SearchOptions options;
  options.folds.n_splits = 3;
  options.refit = false;
  options.seed = 5;
  return options;
}

TEST(ForestSharingSearch, ScoresAreThoseOfModelsTrainedOnTheFoldAlone) {
  const Dataset data = blobs(Task::classification);
  const std::vector<Parameters> candidates = grid(all_limits);
  SearchOptions options = three_folds();
  options.metrics = {Metric::accuracy, Metric::neg_log_loss};
  const SearchResult result = search(data, candidates, options);
  EXPECT_EQ(result.plan.models, 3);
  const std::vector<Fold> folds = make_folds(data, options.folds);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < candidates.size(); i += 5) {
    ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
    parameters.random_state = options.seed;
    parameters.set(candidates[i]);
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      const Forest forest = train_forest(parameters, select(data, folds[fold].train));
      const Dataset test = select(data, folds[fold].test);
      const std::vector<std::int32_t> answers = forest.predict(test.inputs);
      FoldOutcome outcome;
      outcome.predictions = forest.predict_proba(test.inputs);
      outcome.confusion.resize(9);
      for (std::size_t row = 0; row < answers.size(); ++row) outcome.confusion[test.labels[row] * 3 + answers[row]]++;
      for (std::size_t m = 0; m < options.metrics.size(); ++m) {
        EXPECT_EQ(result.rows[i].scores[m][fold], score_of(options.metrics[m], outcome, data, folds[fold].test))
            << "candidate " << i << " fold " << fold << " " << name_of(options.metrics[m]);
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 150U);
}

TEST(ForestSharingSearch, ACandidateScoresTheSameAloneAndAmongOthers) {
  for (const Task task : {Task::classification, Task::regression}) {
    const Dataset data = blobs(task);
    std::vector<Parameters> candidates = grid(all_limits);
    // Beside them some that cannot share.
    const std::vector<std::string> others =
        task == Task::classification
            ? std::vector<std::string>{"criterion=entropy,gini", "class_weight=balanced,balanced_subsample,none",
                                       "max_samples=none,0.3", "max_bins=256,7"}
            : std::vector<std::string>{"criterion=squared_error,friedman_mse,poisson", "max_samples=none,0.3",
                                       "max_bins=256,7", "min_samples_leaf=1,5"};
    for (Parameters& other : grid(others)) {
      other.emplace_back("n_estimators", std::int64_t{4});
      candidates.push_back(std::move(other));
    }
    const SearchResult all = search(data, candidates, three_folds());
    for (std::size_t i = 0; i < candidates.size(); i += i < 144 ? 7 : 1) {
      const SearchResult alone = search(data, {candidates[i]}, three_folds());
      EXPECT_EQ(all.rows[i].scores, alone.rows[0].scores) << "candidate " << i;
      EXPECT_EQ(all.rows[i].failure, "");
    }
  }
}

TEST(ForestSharingSearch, ThePlanSaysHowManyForestsStandForTheCandidates) {
  const Dataset data = blobs(Task::classification);
  const auto forests_a_fold = [&](const std::vector<std::string>& axes) {
    const SearchResult result = search(data, grid(axes), three_folds());
    EXPECT_EQ(result.plan.jobs, 3 * result.plan.candidates);
    EXPECT_EQ(result.plan.models % 3, 0);
    return result.plan.models / 3;
  };
  EXPECT_EQ(forests_a_fold(
                {"n_estimators=1,2,3", "max_depth=none,1,2,3", "min_samples_split=2,5,10", "criterion=gini,entropy"}),
            2);
  for (const char* shared : {"n_estimators=1,2,3", "max_depth=1,2,3", "min_samples_split=2,4,0.1",
                             "min_impurity_decrease=0.0,0.1,0.2", "ccp_alpha=0.0,0.1,0.2", "max_leaf_nodes=none,2,3"}) {
    EXPECT_EQ(forests_a_fold({shared, "min_samples_leaf=2"}), 1) << shared;
  }
  for (const char* apart : {"criterion=gini,entropy", "min_samples_leaf=1,2", "max_features=1,2",
                            "bootstrap=true,false", "max_samples=none,0.5", "class_weight=none,balanced",
                            "min_weight_fraction_leaf=0.0,0.1", "random_state=0,1", "max_bins=256,4"}) {
    EXPECT_EQ(forests_a_fold({apart, "max_depth=2,3", "n_estimators=2"}), 2) << apart;
  }
  // Different words for the same thing share too: sqrt(6) and log2(6) are both 2.
  EXPECT_EQ(forests_a_fold({"max_features=sqrt,log2,2,0.34", "n_estimators=2"}), 1);
  EXPECT_EQ(forests_a_fold({"criterion=entropy,log_loss", "n_estimators=2"}), 1);
}

}  // namespace
}  // namespace overtake
