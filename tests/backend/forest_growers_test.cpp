// SPDX-License-Identifier: MIT
// The kernels grow, node for node and bit for bit, what the CPU grows.
#include <gtest/gtest.h>

#include <cstring>

#include "backend/api/device.hpp"
#include "forest/device/grower.hpp"
#include "forest/host/grower.hpp"
#include "forest_problem.hpp"
#include "oracle/devices.hpp"
#include "oracle/stopping_device.hpp"
#include "overtake/error.hpp"

namespace overtake::forest::testing {
namespace {

using Key = std::pair<std::int32_t, std::int32_t>;

std::map<Key, GrownTree> grow_all(Grower& grower, std::span<const ForestJob> jobs) {
  std::map<Key, GrownTree> trees;
  grower.grow(
      jobs,
      [&](std::int32_t job, std::int32_t tree, GrownTree grown) {
        trees[{job, tree}] = std::move(grown);
      },
      nullptr);
  return trees;
}

void expect_same(const GrownTree& a, const GrownTree& b) {
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  EXPECT_EQ(a.right, b.right);
  EXPECT_EQ(a.class_weights, b.class_weights);
  EXPECT_EQ(a.means, b.means);
  EXPECT_EQ(a.impurities, b.impurities);
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const NodeRecord& x = a.nodes[i];
    const NodeRecord& y = b.nodes[i];
    EXPECT_EQ(x.feature, y.feature) << "node " << i;
    EXPECT_EQ(x.left, y.left) << "node " << i;
    EXPECT_EQ(x.between, y.between) << "node " << i;
    EXPECT_EQ(x.cut, y.cut) << "node " << i;
    EXPECT_EQ(x.samples, y.samples) << "node " << i;
    EXPECT_EQ(x.weight, y.weight) << "node " << i;
    EXPECT_EQ(x.depth, y.depth) << "node " << i;
    EXPECT_EQ(x.key, y.key) << "node " << i;
    if (::testing::Test::HasFailure()) return;
  }
}

/// A device that compiles kernels.
class ForestGrowers : public ::testing::TestWithParam<DeviceInfo> {
 protected:
  void SetUp() override {
    if (const std::string trouble = oracle::trouble_of(GetParam()); !trouble.empty()) {
      GTEST_SKIP() << GetParam().id << ": " << trouble;
    }
    device_ = &backend::open_device(GetParam().id);
  }

  /// Grows and scores on the CPU and on the device, with subtrees only and level by level, and compares.
  void compare(const Problem& problem, const std::vector<ForestJob>& jobs, const std::vector<View>& views) {
    const auto host = make_host_grower(problem, 0);
    const auto expected = grow_all(*host, jobs);
    const auto outcomes = host->score(jobs, views, true, nullptr).value();
    for (const std::int32_t large_rows : {4096, 20}) {
      SCOPED_TRACE("large_rows " + std::to_string(large_rows));
      const auto grower = make_kernel_grower(*device_, problem, 0, {large_rows, 4});
      const auto grown = grow_all(*grower, jobs);
      ASSERT_EQ(grown.size(), expected.size());
      for (const auto& [key, tree] : expected) {
        SCOPED_TRACE("job " + std::to_string(key.first) + " tree " + std::to_string(key.second));
        expect_same(tree, grown.at(key));
        if (HasFailure()) return;
      }
      const auto device_outcomes = grower->score(jobs, views, true, nullptr).value();
      for (std::size_t view = 0; view < views.size(); ++view) {
        SCOPED_TRACE("view " + std::to_string(view));
        EXPECT_EQ(device_outcomes[view].confusion, outcomes[view].confusion);
        EXPECT_EQ(device_outcomes[view].predictions, outcomes[view].predictions);
        EXPECT_EQ(device_outcomes[view].squared_error, outcomes[view].squared_error);
        EXPECT_EQ(device_outcomes[view].absolute_error, outcomes[view].absolute_error);
      }
    }
  }

  static std::vector<View> views_of(const std::vector<ForestJob>& jobs) {
    std::vector<View> views;
    for (std::int32_t job = 0; job < static_cast<std::int32_t>(jobs.size()); ++job) {
      for (const std::int32_t trees : {1, jobs[job].trees}) {
        for (const std::int32_t depth : {2, jobs[job].max_depth}) {
          View view;
          view.job = job;
          view.trees = trees;
          view.max_depth = depth;
          view.min_samples_split = depth == 2 ? 2 : 20;
          views.push_back(view);
        }
      }
    }
    return views;
  }

  backend::Device* device_ = nullptr;
};

TEST_P(ForestGrowers, ClassesByBothCriteria) {
  ProblemShape shape;
  shape.folds = 2;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs = {make_job(problem, 0), make_job(problem, 1)};
  jobs[1].rule.criterion = Criterion::entropy;
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, AStopLeavesNothingHalfScored) {
  ProblemShape shape;
  shape.folds = 2;
  const Problem problem = make_problem(shape);
  const std::vector<ForestJob> jobs = {make_job(problem, 0), make_job(problem, 1)};
  std::vector<View> views = views_of(jobs);
  views.push_back(views.back());
  views.back().ccp_alpha = 0.01;  // its whole trees come to the host one by one
  const auto expected = make_host_grower(problem, 0)->score(jobs, views, true, nullptr);
  int stops = 0;
  int stopped = 0;
  for (;; ++stops) {
    SCOPED_TRACE("stop " + std::to_string(stops));
    ASSERT_LT(stops, 1000);
    StopToken stop;
    oracle::StoppingDevice device(*device_, stop, stops + 1);
    const auto grower = make_kernel_grower(device, problem, 0, {20, 4});
    const auto outcomes = grower->score(jobs, views, true, &stop);
    const bool requested = stop.requested();
    stopped += outcomes ? 0 : 1;
    EXPECT_TRUE(requested || outcomes);
    for (std::size_t view = 0; outcomes && view < views.size(); ++view) {
      EXPECT_EQ((*outcomes)[view].confusion, (*expected)[view].confusion) << "view " << view;
      EXPECT_EQ((*outcomes)[view].predictions, (*expected)[view].predictions) << "view " << view;
    }
    if (!requested) break;
    stop.reset();
    EXPECT_TRUE(grower->score(jobs, views, true, &stop)) << "the next time";
  }
  EXPECT_GT(stopped, 10) << "at levels of large nodes, at subtrees, at trees that come to the host";
}

TEST_P(ForestGrowers, MissingValuesWeightsAndLimits) {
  ProblemShape shape;
  shape.rows = 333;
  shape.missing = 0.2;
  shape.weighted = true;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs(3, make_job(problem));
  jobs[0].rule.min_samples_leaf = 5;
  jobs[0].min_samples_split = 17;
  jobs[1].rule.min_weight_leaf = 9.5;
  jobs[1].max_depth = 4;
  jobs[2].bootstrap = false;
  jobs[2].rule.max_features = shape.features;
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, ExtraTrees) {
  ProblemShape shape;
  shape.missing = 0.3;
  shape.bins = 40;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs(2, make_job(problem));
  for (ForestJob& job : jobs) job.rule.random_thresholds = true;
  jobs[1].bootstrap = false;
  jobs[1].rule.max_features = 1;
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, BalancedTrees) {
  ProblemShape shape;
  shape.balanced = true;
  shape.weighted = true;
  const Problem problem = make_problem(shape);
  const std::vector<ForestJob> jobs = {make_job(problem)};
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, NumbersByEveryCriterion) {
  ProblemShape shape;
  shape.classes = 0;
  shape.positive = true;
  shape.missing = 0.1;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs(4, make_job(problem));
  jobs[1].rule.criterion = Criterion::friedman_mse;
  jobs[2].rule.criterion = Criterion::poisson;
  jobs[3].rule.random_thresholds = true;
  jobs[3].rule.min_samples_leaf = 3;
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, NegativeNumbersWithWeights) {
  ProblemShape shape;
  shape.classes = 0;
  shape.weighted = true;
  shape.rows = 500;
  const Problem problem = make_problem(shape);
  const std::vector<ForestJob> jobs = {make_job(problem)};
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, NumbersBesideASentinel) {
  for (const double sentinel : {99999999.0, -1e9, 1e30}) {
    ProblemShape shape;
    shape.classes = 0;
    shape.rows = 400;
    shape.sentinel = sentinel;
    shape.weighted = sentinel < 0;
    const Problem problem = make_problem(shape);
    std::vector<ForestJob> jobs(2, make_job(problem));
    jobs[1].rule.criterion = Criterion::friedman_mse;
    jobs[1].bootstrap = false;
    std::vector<View> views = views_of(jobs);
    for (const View& view : std::vector<View>(views)) {
      views.push_back(view);
      views.back().max_leaf_nodes = 20;
      views.push_back(view);
      views.back().ccp_alpha = 0.5;
      views.push_back(view);
      views.back().min_impurity_decrease = 0.01;
    }
    compare(problem, jobs, views);
  }
}

TEST_P(ForestGrowers, ManyClassesAndWideBins) {
  ProblemShape shape;
  shape.classes = 150;  // more than local memory keeps
  shape.bins = 300;
  shape.wide = true;
  shape.rows = 700;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs = {make_job(problem)};
  jobs[0].trees = 2;
  compare(problem, jobs, views_of(jobs));
}

TEST_P(ForestGrowers, ManyFeatures) {
  ProblemShape shape;
  shape.features = 400;  // their order does not fit into local memory
  shape.bins = 6;
  const Problem problem = make_problem(shape);
  std::vector<ForestJob> jobs = {make_job(problem)};
  jobs[0].rule.max_features = 20;
  compare(problem, jobs, views_of(jobs));
}

std::vector<DeviceInfo> kernel_devices() {
  std::vector<DeviceInfo> devices = list_devices();
  std::erase_if(devices, [](const DeviceInfo& info) { return info.backend == "cpu" || info.backend == "null"; });
  return devices;
}

INSTANTIATE_TEST_SUITE_P(Devices, ForestGrowers, ::testing::ValuesIn(kernel_devices()), oracle::device_name);

}  // namespace
}  // namespace overtake::forest::testing
