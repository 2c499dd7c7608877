// SPDX-License-Identifier: MIT
// Searches over real forests, small enough to take no time.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "core/philox.hpp"
#include "data_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

/// 90 rows; the class says in which third of its range the first of three features lies, with some wrong.
Dataset thirds() {
  Dataset data;
  data.rows = 90;
  data.features = 3;
  data.classes = 3;
  data.inputs.resize(270);
  philox::fill_uniform(data.inputs, 5, 0, 0);
  for (std::size_t row = 0; row < 90; ++row) {
    const auto label = static_cast<std::int32_t>(data.inputs[row * 3] * 3);
    data.labels.push_back(row % 11 == 0 ? (label + 1) % 3 : label);
  }
  return data;
}

SearchOptions few_trees() {
  SearchOptions options;
  options.fixed = {{"n_estimators", std::int64_t{15}}};
  options.folds.n_splits = 3;
  options.seed = 4;
  return options;
}

/// What a forest is, leaf by leaf. (Leaves have no threshold: NaN, which equals nothing.)
std::string text_of(const Forest& forest) {
  std::string text;
  for (std::size_t tree = 0; tree < forest.trees.size(); ++tree) text += export_text(forest, tree, 100);
  return text;
}

const std::vector<GridAxis> grid = {parse_grid_axis("max_depth=2,4,none"), parse_grid_axis("criterion=gini,entropy")};

TEST(SearchForests, GridSearchFindsAForestThatFits) {
  SearchOptions options = few_trees();
  options.fixed.emplace_back("max_features", std::monostate());
  const SearchResult result = search(thirds(), grid_candidates(grid), options);
  ASSERT_EQ(result.rows.size(), 6U);
  for (const SearchRow& row : result.rows) {
    EXPECT_TRUE(row.done);
    EXPECT_EQ(row.failure, "");
    EXPECT_LE(row.mean[0], best_score(result));
  }
  EXPECT_GT(best_score(result), 0.75);
  EXPECT_EQ(forest_of(result.best.get()).trees.size(), 15U);
  EXPECT_EQ(result.best->describe(), "random-forest of 15 trees for 3 features and 3 classes");
  const Dataset data = thirds();
  int right = 0;
  const std::vector<std::int32_t> predicted = forest_of(result.best.get()).predict(data.inputs);
  for (std::size_t row = 0; row < 90; ++row) right += predicted[row] == data.labels[row] ? 1 : 0;
  EXPECT_GT(right, 75);
  EXPECT_LE(result.plan.models, 6 * 3);
  EXPECT_EQ(result.plan.jobs, 18);
}

TEST(SearchForests, RandomSearchIsSeeded) {
  const std::vector<Distribution> space = {parse_distribution("max_depth=int(1,6)"),
                                           parse_distribution("max_features=uniform(0.1,1)")};
  const Dataset data = thirds();
  const SearchOptions options = few_trees();
  const SearchResult a = search(data, random_candidates(space, 5, options.seed), options);
  const SearchResult b = search(data, random_candidates(space, 5, options.seed), options);
  EXPECT_EQ(best_parameters(a), best_parameters(b));
  EXPECT_EQ(text_of(forest_of(a.best.get())), text_of(forest_of(b.best.get())));
  EXPECT_EQ(a.rows[4].scores, b.rows[4].scores);
}

TEST(SearchForests, JournalAndInterruptionChangeNoScore) {
  const TempFolder folder;
  const Dataset data = thirds();
  const std::vector<Parameters> candidates = grid_candidates(grid);
  const SearchResult plain = search(data, candidates, few_trees());
  SearchOptions options = few_trees();
  options.journal = folder / "j.db";
  StopToken stop;
  stop.request();
  options.stop = &stop;
  const SearchResult stopped = search(data, candidates, options);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.best_index, -1);
  EXPECT_FALSE(stopped.best);
  options.stop = nullptr;
  const SearchResult resumed = search(data, candidates, options);
  const SearchResult again = search(data, candidates, options);
  EXPECT_EQ(again.resumed_jobs, 18);
  EXPECT_EQ(again.plan.models, 0);
  for (const SearchResult* result : {&resumed, &again}) {
    EXPECT_FALSE(result->interrupted);
    EXPECT_EQ(result->best_index, plain.best_index);
    EXPECT_EQ(text_of(forest_of(result->best.get())), text_of(forest_of(plain.best.get())));
    for (std::size_t c = 0; c < 6; ++c) EXPECT_EQ(result->rows[c].scores, plain.rows[c].scores);
  }
}

/// Requests a stop from another thread some time after the plan is made: while the first batch runs.
class LateStop final : public SearchObserver {
 public:
  explicit LateStop(std::chrono::milliseconds delay) : delay_(delay) {}
  ~LateStop() override {
    if (thread_.joinable()) thread_.join();
  }
  LateStop(const LateStop&) = delete;
  LateStop& operator=(const LateStop&) = delete;
  void on_plan(const SearchPlan&) override {
    thread_ = std::thread([this] {
      std::this_thread::sleep_for(delay_);
      token.request();
    });
  }
  StopToken token;

 private:
  std::chrono::milliseconds delay_;
  std::thread thread_;
};

TEST(SearchForests, AStopEndsALongBatch) {
  const TempFolder folder;
  SearchOptions options = few_trees();
  options.fixed = {{"n_estimators", std::int64_t{300000}}};
  options.journal = folder / "j.db";
  LateStop late(std::chrono::milliseconds(100));
  options.stop = &late.token;
  options.observer = &late;
  const SearchResult result = search(thirds(), depths(1), options);
  EXPECT_EQ(result.plan.jobs, 3);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.best_index, -1);
  EXPECT_EQ(read_journal(options.journal).resumed_jobs, 0) << "a score of a part of the trees";
}

TEST(SearchForests, StopsAtAnyMomentChangeNoScore) {
  const TempFolder folder;
  const Dataset data = thirds();
  SearchOptions options = few_trees();
  options.fixed = {{"n_estimators", std::int64_t{200}}};
  const std::vector<Parameters> candidates = grid_candidates(grid);
  const SearchResult plain = search(data, candidates, options);
  options.journal = folder / "j.db";
  for (int milliseconds = 0;; milliseconds += 3) {
    LateStop late{std::chrono::milliseconds(milliseconds)};
    options.stop = &late.token;
    options.observer = &late;
    const SearchResult result = search(data, candidates, options);
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      EXPECT_TRUE(!result.rows[c].done || result.rows[c].scores == plain.rows[c].scores) << "candidate " << c;
    }
    if (result.interrupted) continue;
    EXPECT_EQ(result.best_index, plain.best_index);
    EXPECT_EQ(text_of(forest_of(result.best.get())), text_of(forest_of(plain.best.get())));
    break;
  }
}

TEST(SearchForests, WrongParametersLeaveNoJournal) {
  const TempFolder folder;
  SearchOptions options = few_trees();
  options.journal = folder / "j.db";
  expect_error<UsageError>(
      [&] {
        (void)search(thirds(), {{{"max_dept", std::int64_t{3}}}}, options);
      },
      {"max_dept", "max_depth"});
  EXPECT_EQ(folder.count(), 0U);
}

TEST(SearchForests, RegressionIsScoredByR2) {
  Dataset data = thirds();
  data.task = Task::regression;
  data.classes = 0;
  for (std::size_t row = 0; row < 90; ++row) data.targets.push_back(data.inputs[row * 3] * 10);
  data.labels.clear();
  SearchOptions options = few_trees();
  options.metrics = {Metric::neg_mean_absolute_error, Metric::r2};
  options.refit_metric = 1;
  const SearchResult result =
      search(data, {{{"max_depth", std::int64_t{1}}}, {{"max_depth", std::int64_t{6}}}}, options);
  EXPECT_EQ(result.best_index, 1) << "deeper trees fit a slope better";
  EXPECT_GT(result.rows[1].mean[1], 0.8);
  EXPECT_LT(result.rows[1].mean[0], 0) << "errors are negated";
  EXPECT_GT(result.rows[1].mean[0], -2);
}

}  // namespace
}  // namespace overtake::test
