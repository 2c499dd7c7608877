// SPDX-License-Identifier: MIT
// A stop while the CPU grows or scores: it is heeded wherever it comes, and nothing half done comes out.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "backend/forest_problem.hpp"
#include "core/parallel.hpp"
#include "forest/host/grower.hpp"
#include "forest/host/tree.hpp"

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

void expect_same(const std::vector<FoldOutcome>& a, const std::vector<FoldOutcome>& b) {
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

/// Requests a stop after a time.
class Timer {
 public:
  Timer(StopToken& stop, std::chrono::microseconds after)
      : thread_([&stop, after] {
          std::this_thread::sleep_for(after);
          stop.request();
        }) {}
  ~Timer() { thread_.join(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::thread thread_;
};

TEST(ForestStop, ScoresAreWholeOrNone) {
  for (const std::int32_t classes : {3, 0}) {
    const Work work(classes);
    const auto expected = make_host_grower(work.problem, 0)->score(work.jobs, work.views, true, nullptr).value();
    int stops = 0;
    for (int i = 0; i < 60; ++i) {  // later and later, until it comes too late
      SCOPED_TRACE(std::to_string(classes) + " classes, stop " + std::to_string(i));
      StopToken stop;
      if (i == 0) stop.request();
      const auto grower = make_host_grower(work.problem, work.little_memory(thread_count()));
      std::optional<std::vector<FoldOutcome>> outcomes;
      {
        const Timer timer(stop, std::chrono::microseconds(20 * i));
        outcomes = grower->score(work.jobs, work.views, true, &stop);
      }
      stops += outcomes ? 0 : 1;
      if (outcomes) expect_same(*outcomes, expected);
      stop.reset();
      if (i % 4 == 0) expect_same(grower->score(work.jobs, work.views, true, &stop).value(), expected);
    }
    EXPECT_GE(stops, 1) << "the first comes before the work";
  }
}

TEST(ForestStop, TreesThatAreGivenAreTheFirstAndWhole) {
  const Work work(3);
  std::vector<GrownTree> expected;
  make_host_grower(work.problem, 0)
      ->grow(
          work.jobs, [&](std::int32_t, std::int32_t, GrownTree tree) { expected.push_back(std::move(tree)); }, nullptr);
  ASSERT_EQ(expected.size(), 24U);
  for (std::size_t number = 0; number <= expected.size(); ++number) {
    StopToken stop;
    std::size_t given = 0;
    if (number == 0) stop.request();
    const auto grower = make_host_grower(work.problem, work.little_memory(thread_count()));
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
      {
        const Timer timer(stop, std::chrono::microseconds(5 * i));
        for (std::int32_t tree = 0; grower->grow(work.jobs[0], tree, false, &stop).has_value(); ++tree) continue;
      }
      EXPECT_FALSE(grower->grow(work.jobs[0], 4, false, &stop).has_value());
      expect_same(grower->grow(work.jobs[0], 4, false, nullptr).value(), expected);
    }
  }
}

}  // namespace
}  // namespace overtake::forest::testing
