// SPDX-License-Identifier: MIT
// What a search asks of a device, seen on the null device: launches and waits do not grow with the candidates, kernels
// are built once, memory stays below its limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "backend/forest_problem.hpp"
#include "backend/null/null_device.hpp"
#include "forest/device/grower.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/search.hpp"

namespace overtake {
namespace {

using backend::null::NullDevice;
using backend::null::NullRecord;

constexpr std::int64_t folds = 3;

Dataset small_data(Task task) {
  Dataset data;
  data.task = task;
  data.rows = 90;
  data.features = 8;
  for (std::int32_t row = 0; row < data.rows; ++row) {
    for (std::int32_t f = 0; f < data.features; ++f) data.inputs.push_back(static_cast<float>(row * (f + 3) % 17));
    if (task == Task::classification) data.labels.push_back(row % 3);
    if (task == Task::regression) data.targets.push_back(static_cast<float>(row % 7));
  }
  data.classes = task == Task::classification ? 3 : 0;
  return data;
}

/// What one search costs.
struct Cost {
  std::uint64_t launches = 0, waits = 0, programs = 0;
  SearchPlan plan;
};

Cost cost_of(const std::vector<Parameters>& candidates, Task task = Task::classification,
             std::vector<Metric> metrics = {}) {
  const NullRecord& record = static_cast<NullDevice&>(Device("null").impl()).record();
  const Cost before{record.launches, record.waits, record.programs, {}};
  SearchOptions options;
  options.device = Device("null");
  options.folds.n_splits = static_cast<int>(folds);
  options.refit = false;
  options.metrics = std::move(metrics);
  const SearchResult result = search(small_data(task), candidates, options);
  return {record.launches - before.launches, record.waits - before.waits, record.programs - before.programs,
          result.plan};
}

/// Every combination, the loosest values last.
std::vector<Parameters> grid(const std::vector<std::string>& axes) {
  std::vector<GridAxis> parsed;
  for (const std::string& axis : axes) parsed.push_back(parse_grid_axis(axis));
  return grid_candidates(parsed);
}

const std::vector<std::string> sharing_axes = {"max_depth=2,3,5,none", "min_samples_split=20,10,5,2",
                                               "n_estimators=2,4,6,8"};
const std::vector<std::string> differing_axes = {"max_features=1,2,3,4,5,6,7,8", "min_samples_leaf=2,3,4,5,6,7,8,9"};

void expect_same_cost(const Cost& many, const Cost& one) {
  EXPECT_EQ(many.launches, one.launches);
  EXPECT_EQ(many.waits, one.waits);
  EXPECT_EQ(many.programs, one.programs);
  EXPECT_EQ(many.plan.batches, one.plan.batches);
}

TEST(ForestPlan, CandidatesThatShareAForestCostNoLaunch) {
  const std::vector<Parameters> candidates = grid(sharing_axes);
  ASSERT_EQ(candidates.size(), 64U);
  const Cost many = cost_of(candidates);
  const Cost one = cost_of({candidates.back()});
  expect_same_cost(many, one);
  EXPECT_EQ(many.plan.models, folds);
  EXPECT_EQ(one.plan.models, folds);
  EXPECT_EQ(many.plan.jobs, 64 * folds);
}

TEST(ForestPlan, CandidatesThatShareNothingCostNoLaunch) {
  const std::vector<Parameters> candidates = grid(differing_axes);
  ASSERT_EQ(candidates.size(), 64U);
  const Cost many = cost_of(candidates);
  expect_same_cost(many, cost_of({candidates.back()}));
  EXPECT_EQ(many.plan.models, 64 * folds);
}

TEST(ForestPlan, OneSearchIsAHandfulOfLaunches) {
  const Cost cost = cost_of(grid(sharing_axes));
  EXPECT_EQ(cost.programs, 1U);
  EXPECT_LE(cost.launches, 10U);
  EXPECT_EQ(cost.launches, static_cast<std::uint64_t>(cost.plan.launches));
  EXPECT_LE(cost.waits, 6U);
}

TEST(ForestPlan, NumbersCostNoMoreThanClasses) {
  const std::vector<Parameters> candidates = grid(sharing_axes);
  expect_same_cost(cost_of(candidates, Task::regression), cost_of({candidates.back()}, Task::regression));
  const std::vector<Parameters> differing = grid(differing_axes);
  expect_same_cost(cost_of(differing, Task::regression), cost_of({differing.back()}, Task::regression));
}

TEST(ForestPlan, ProbabilitiesCostNoWaitEach) {
  const std::vector<Parameters> candidates = grid(sharing_axes);
  const std::vector<Metric> metrics = {Metric::neg_log_loss, Metric::accuracy};
  expect_same_cost(cost_of(candidates, Task::classification, metrics),
                   cost_of({candidates.back()}, Task::classification, metrics));
}

TEST(ForestPlan, LimitsOfWholeTreesCostNoLaunch) {
  const std::vector<Parameters> candidates = grid(
      {"ccp_alpha=0.001,0.002,0.003,0.004", "max_leaf_nodes=2,3,4,5", "min_impurity_decrease=0.01,0.02,0.03,0.04"});
  ASSERT_EQ(candidates.size(), 64U);
  const Cost many = cost_of(candidates);
  expect_same_cost(many, cost_of({candidates.back()}));
  EXPECT_EQ(many.plan.models, folds);
}

TEST(ForestPlan, SeventyTwoCandidatesOfTheIrisSearchAreTwoForestsAFold) {
  const std::vector<Parameters> candidates =
      grid({"n_estimators=50,100,200", "max_depth=none,3,5,10", "min_samples_split=2,5,10", "criterion=gini,entropy"});
  ASSERT_EQ(candidates.size(), 72U);
  const Cost cost = cost_of(candidates);
  EXPECT_EQ(cost.plan.models, 2 * folds);
  EXPECT_EQ(cost.plan.candidates, 72);
}

/// Jobs on one problem that share nothing, and a view of each.
struct Work {
  explicit Work(const forest::testing::ProblemShape& shape, int count) : problem(forest::testing::make_problem(shape)) {
    for (std::int32_t i = 0; i < count; ++i) {
      jobs.push_back(forest::testing::make_job(problem));
      jobs.back().rule.max_features = 1 + i % shape.features;
      jobs.back().seed = static_cast<std::uint64_t>(i);
      jobs.back().trees = 20;
      forest::View view;
      view.job = i;
      view.trees = 20;
      view.max_depth = INT32_MAX;
      views.push_back(view);
    }
  }
  forest::Problem problem;
  std::vector<forest::ForestJob> jobs;
  std::vector<forest::View> views;
};

TEST(ForestPlan, MemoryStaysBelowItsLimit) {
  for (const std::int32_t classes : {3, 0}) {
    for (const std::int32_t rows :
         {40, 900, 6000}) {  // from many on, nodes grown level by level have tables of their own
      SCOPED_TRACE(std::to_string(rows) + " rows, classes " + std::to_string(classes));
      forest::testing::ProblemShape shape;
      shape.classes = classes;
      shape.rows = rows;
      Work work(shape, 8);
      for (std::size_t i = 0; i < 60; ++i) {
        work.views.push_back(work.views[i % 8]);
        work.views.back().max_depth = 5;
        if (i % 2 == 0) work.views.back().ccp_alpha = static_cast<double>(i) / 1000;
      }
      std::uint64_t planned = 0;
      {
        NullDevice device;
        const auto grower = forest::make_kernel_grower(device, work.problem, 0);
        (void)grower->score(work.jobs, work.views, false, nullptr);
        planned = grower->stats().peak_bytes;
        EXPECT_EQ(grower->stats().batches, 1);
        EXPECT_LE(device.record().bytes_peak, planned + 1000) << "more is taken than was said";
      }
      NullDevice device;
      const auto grower = forest::make_kernel_grower(device, work.problem, planned / 4);
      (void)grower->score(work.jobs, work.views, false, nullptr);
      EXPECT_GT(grower->stats().batches, 3);
      EXPECT_LE(device.record().bytes_peak, planned / 4);
      EXPECT_LE(grower->stats().peak_bytes, planned / 4);
    }
  }
}

TEST(ForestPlan, LongForestsAreCutSoThatAStopIsHeeded) {
  forest::testing::ProblemShape shape;
  shape.rows = 6000;
  Work work(shape, 1);
  work.jobs[0].trees = work.views[0].trees = 20000;
  NullDevice device;
  const auto grower = forest::make_kernel_grower(device, work.problem, std::uint64_t{1} << 40);
  (void)grower->score(work.jobs, work.views, false, nullptr);
  const std::int64_t batches = grower->stats().batches;
  EXPECT_GT(batches, 1) << "memory has room for all at once";
  const std::size_t launches = device.record().kernel_launches.size();
  StopToken stop;
  stop.request();
  EXPECT_FALSE(grower->score(work.jobs, work.views, false, &stop));
  EXPECT_EQ(grower->stats().batches, batches);
  EXPECT_LE(device.record().kernel_launches.size(), launches + 1) << "more than clearing the sums";
}

TEST(ForestPlan, TooLittleMemoryIsRefusedWithBothFigures) {
  const Work work({}, 1);
  NullDevice device;
  try {
    const auto grower = forest::make_kernel_grower(device, work.problem, 4000);
    (void)grower->score(work.jobs, work.views, false, nullptr);
    FAIL() << "4,000 bytes were enough";
  } catch (const DeviceError& error) {
    EXPECT_THAT(
        std::string(error.what()) + error.hint(),
        ::testing::AllOf(::testing::HasSubstr("one tree needs "), ::testing::HasSubstr(" can be used beside the data"),
                         ::testing::HasSubstr("--memory-limit")));
  }
  EXPECT_LE(device.record().bytes_peak, 10000U);
}

TEST(NullDevice, KnowsTheKernelsOfAProgram) {
  NullDevice device;
  const auto program = device.build(
      {.source = "KERNEL void first(GLOBAL int* x) {}\nDEVICE int second(int x);", .defines = {}, .name = {}});
  const auto kernel = program->kernel("first");
  kernel->launch({{7, 1, 1}, {32, 1, 1}}, std::vector<backend::KernelArgument>(1));
  ASSERT_EQ(device.record().kernel_launches.size(), 1U);
  EXPECT_EQ(device.record().kernel_launches[0].kernel, "first");
  EXPECT_EQ(device.record().kernel_launches[0].geometry.groups[0], 7U);
  EXPECT_EQ(device.record().kernel_launches[0].arguments, 1U);
  EXPECT_EQ(device.record().launches, 1U);
  EXPECT_EQ(device.record().programs, 1U);
  EXPECT_THROW((void)program->kernel("firs"), UsageError);
  EXPECT_THROW((void)program->kernel("second"), UsageError);
}

}  // namespace
}  // namespace overtake
