// SPDX-License-Identifier: MIT
// A stop while the CPU grows or scores: it is heeded wherever it comes, and nothing half done comes out.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "backend/forest_problem.hpp"
#include "forest/host/grower.hpp"
#include "forest/host/tree.hpp"
#include "oracle/stopping_device.hpp"

namespace overtake::forest::testing {
namespace {

/// Two forests that grow and score in several rounds, because memory is short.
struct Work {
  explicit Work(std::int32_t classes)
      : problem(make_problem([&] {
          ProblemShape shape;
          shape.rows = 300;
          shape.classes = classes;
          shape.folds = 2;
          return shape;
        }())) {
    for (std::int32_t i = 0; i < 2; ++i) {
      jobs.push_back(make_job(problem, i));
      jobs.back().trees = 12;
      for (const std::int32_t trees : {3, 12}) {
        View view;
        view.job = i;
        view.trees = trees;
        view.max_depth = jobs.back().max_depth;
        views.push_back(view);
        views.back().ccp_alpha = 0.01;
        views.push_back(view);
      }
    }
  }

  /// The data and about four trees on each of `threads` threads.
  [[nodiscard]] std::uint64_t little_memory(int threads) const {
    return 50000 + 100000 * static_cast<std::uint64_t>(threads);
  }

  Problem problem;
  std::vector<ForestJob> jobs;
  std::vector<View> views;
};

void expect_same(const std::vector<ViewOutcome>& a, const std::vector<ViewOutcome>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].confusion, b[i].confusion);
    EXPECT_EQ(a[i].predictions, b[i].predictions);
    EXPECT_EQ(a[i].squared_error, b[i].squared_error);
    EXPECT_EQ(a[i].absolute_error, b[i].absolute_error);
  }
}

void expect_same(const GrownTree& a, const GrownTree& b) {
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(a.nodes[i].feature, b.nodes[i].feature);
    EXPECT_EQ(a.nodes[i].cut, b.nodes[i].cut);
    EXPECT_EQ(a.nodes[i].weight, b.nodes[i].weight);
  }
  EXPECT_EQ(a.right, b.right);
  EXPECT_EQ(a.class_weights, b.class_weights);
  EXPECT_EQ(a.means, b.means);
}

TEST(ForestStop, ScoresAreWholeOrNone) {
  backend::Device& cpu = backend::open_device("cpu");
  for (const std::int32_t classes : {3, 0}) {
    const Work work(classes);
    const std::uint64_t memory = work.little_memory(cpu.threads());
    const auto expected = make_host_grower(cpu, work.problem, 0)->score(work.jobs, work.views, true, nullptr).value();
    int stops = 0;
    for (bool stopped = true; stopped; ++stops) {
      SCOPED_TRACE(std::to_string(classes) + " classes, stop " + std::to_string(stops));
      ASSERT_LT(stops, 1000);
      StopToken stop;
      oracle::StoppingDevice device(cpu, stop, stops + 1);
      const auto grower = make_host_grower(device, work.problem, memory);
      const auto outcomes = grower->score(work.jobs, work.views, true, &stop);
      EXPECT_NE(outcomes.has_value(), stop.requested()) << "stopped without being asked to, or the other way round";
      stopped = stop.requested();
      if (outcomes) expect_same(*outcomes, expected);
      stop.reset();
      if (stops % 4 == 0) expect_same(grower->score(work.jobs, work.views, true, &stop).value(), expected);
    }
    EXPECT_GT(stops, 2 * 3) << "growing, tables and sums of several rounds";
  }
}

TEST(ForestStop, TreesThatAreGivenAreTheFirstAndWhole) {
  backend::Device& cpu = backend::open_device("cpu");
  const Work work(3);
  std::vector<GrownTree> expected;
  make_host_grower(cpu, work.problem, 0)
      ->grow(
          work.jobs, [&](std::int32_t, std::int32_t, GrownTree tree) { expected.push_back(std::move(tree)); }, nullptr);
  ASSERT_EQ(expected.size(), 24U);
  for (std::size_t number = 0; number <= expected.size(); ++number) {
    StopToken stop;
    std::size_t given = 0;
    if (number == 0) stop.request();
    const auto grower = make_host_grower(cpu, work.problem, work.little_memory(cpu.threads()));
    grower->grow(
        work.jobs,
        [&](std::int32_t job, std::int32_t tree, const GrownTree& grown) {
          ASSERT_EQ(static_cast<std::size_t>(12 * job + tree), given);
          expect_same(grown, expected[given]);
          if (++given == number) stop.request();
        },
        &stop);
    EXPECT_GE(given, number);
    EXPECT_LE(given, number == 0 ? 0 : expected.size());
  }
}

/// Wherever in a tree the stop comes: the grower keeps nothing of it.
TEST(ForestStop, AGrowerThatWasStoppedGrowsTheNextTreeAsEver) {
  for (const std::int32_t classes : {3, 0}) {
    const Work work(classes);
    const GrownTree expected = make_host_tree_grower(work.problem)->grow(work.jobs[0], 4, false, nullptr).value();
    const auto grower = make_host_tree_grower(work.problem);
    for (int i = 0; i < 60; ++i) {
      StopToken stop;
      if (i == 0) stop.request();
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::microseconds(5 * i));
        stop.request();
      });
      for (std::int32_t tree = 0; grower->grow(work.jobs[0], tree, false, &stop).has_value(); ++tree) continue;
      other.join();
      EXPECT_FALSE(grower->grow(work.jobs[0], 4, false, &stop).has_value());
      expect_same(grower->grow(work.jobs[0], 4, false, nullptr).value(), expected);
    }
  }
}

}  // namespace
}  // namespace overtake::forest::testing
