// SPDX-License-Identifier: MIT
// Random work for a grower of forests, and how its trees and scores compare with the plain one's.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "backend/forest_problem.hpp"
#include "forest/grow/grower.hpp"
#include "forest/problem/problem.hpp"
#include "oracle/forest_oracle.hpp"

namespace overtake::forest::testing {

/// A random problem, some jobs on it and some views of them.
struct Work {
  Problem problem;
  std::vector<ForestJob> jobs;
  std::vector<View> views;
};

inline Work random_work(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one_in = [&](std::uint32_t n) { return random() % n == 0; };
  const auto below = [&](std::uint32_t n) { return static_cast<std::int32_t>(random() % n); };
  ProblemShape shape;
  shape.seed = seed;
  shape.rows = 3 + below(200);
  shape.features = 1 + below(7);
  shape.classes = one_in(2) ? 0 : 1 + below(5);
  shape.bins = 2 + below(one_in(4) ? 300 : 20);
  shape.missing = one_in(2) ? 0.15 : 0;
  shape.weighted = one_in(2);
  shape.balanced = shape.classes > 0 && one_in(4);
  shape.positive = one_in(2);
  if (one_in(3)) shape.sentinel = std::pow(10.0, below(31));
  shape.folds = 1 + below(3);
  shape.wide = shape.bins > 255 || one_in(4);
  Work work{make_problem(shape), {}, {}};
  if (shape.weighted && one_in(2)) {  // few rows weigh anything
    std::vector<double>& weights = work.problem.weights[0].row;
    for (std::size_t row = 0; row < weights.size(); ++row) weights[row] = row % 7 < 2 ? weights[row] + 0.5 : 0;
  }
  const std::vector<Criterion> criteria =
      shape.classes > 0 ? std::vector{Criterion::gini, Criterion::entropy}
                        : std::vector{Criterion::squared_error, Criterion::friedman_mse, Criterion::poisson};
  for (std::int32_t i = 0; i < 3; ++i) {
    ForestJob job = make_job(work.problem, below(static_cast<std::uint32_t>(shape.folds)));
    if (work.problem.folds[job.fold].train.empty()) continue;
    job.rule.criterion = criteria[random() % (shape.positive ? criteria.size() : 2)];
    job.rule.random_thresholds = one_in(3);
    job.rule.max_features = 1 + below(static_cast<std::uint32_t>(shape.features));
    job.rule.min_samples_leaf = one_in(3) ? 3 : 1;
    job.rule.min_weight_leaf = one_in(4) ? 2.5 : 0;
    job.bootstrap = !one_in(3);
    job.min_samples_split = one_in(4) ? 7 : 2;
    if (one_in(4)) job.max_depth = 3;
    if (one_in(3)) job.draws = 1 + job.draws / 8;
    job.seed = (std::uint64_t{random()} << 32) | random();
    for (std::int32_t trees = 1; trees <= job.trees; ++trees) {
      View view;
      view.job = static_cast<std::int32_t>(work.jobs.size());
      view.trees = trees;
      view.max_depth = one_in(2) ? below(5) : job.max_depth;
      view.min_samples_split = one_in(2) ? 2 + below(30) : 2;
      work.views.push_back(view);
    }
    work.jobs.push_back(job);
  }
  return work;
}

using Grown = std::vector<std::vector<GrownTree>>;  // of each job

inline void expect_same(const GrownTree& grown, const GrownTree& expected) {
  ASSERT_EQ(grown.nodes.size(), expected.nodes.size());
  for (std::size_t i = 0; i < grown.nodes.size(); ++i) {
    const NodeRecord& a = grown.nodes[i];
    const NodeRecord& b = expected.nodes[i];
    ASSERT_TRUE(a.feature == b.feature && a.left == b.left && a.between == b.between && a.cut == b.cut &&
                a.samples == b.samples && a.weight == b.weight && a.depth == b.depth && a.key == b.key)
        << "node " << i;
  }
  EXPECT_EQ(grown.right, expected.right);
  EXPECT_EQ(grown.class_weights, expected.class_weights);
  EXPECT_EQ(grown.means, expected.means);
  expect_near_impurities(grown, expected);
}

/// The node where the view's walk of a row ends.
inline std::int32_t stop_of(const Problem& problem, const GrownTree& tree, const View& view, std::int32_t row) {
  std::int32_t at = 0;
  for (;;) {
    const NodeRecord& node = tree.nodes[at];
    if (node.feature < 0 || node.depth >= view.max_depth || node.samples < view.min_samples_split) return at;
    const std::int32_t bin = problem.data.bin(row, node.feature);
    const bool missing = bin == problem.data.edges.bins(node.feature);
    const bool left = missing ? node.cut >> 16 != 0 : bin <= static_cast<std::int32_t>(node.cut & 0xffffU);
    at = left ? node.left : tree.right[at];
  }
}

inline void expect_scores(const Work& work, const View& view, const std::vector<GrownTree>& trees,
                          const FoldOutcome& outcome) {
  const Problem& problem = work.problem;
  const std::vector<std::int32_t>& test = problem.folds[work.jobs[view.job].fold].test;
  const auto outputs = static_cast<std::size_t>(std::max(problem.targets.classes, 1));
  std::vector<std::int64_t> confusion(static_cast<std::size_t>(problem.targets.classes) * outputs, 0);
  double squared = 0, absolute = 0;
  ASSERT_EQ(outcome.predictions.size(), test.size() * outputs);
  for (std::size_t i = 0; i < test.size(); ++i) {
    std::vector<double> means(outputs, 0.0);
    for (std::int32_t t = 0; t < view.trees; ++t) {
      const std::int32_t at = stop_of(problem, trees[t], view, test[i]);
      const double weight = trees[t].nodes[at].weight;
      for (std::size_t o = 0; o < outputs; ++o) {
        means[o] += problem.targets.classes > 0
                        ? trees[t].class_weights[static_cast<std::size_t>(at) * outputs + o] / weight
                        : trees[t].means[at];
      }
    }
    for (std::size_t o = 0; o < outputs; ++o) {
      means[o] /= view.trees;
      EXPECT_EQ(outcome.predictions[i * outputs + o], means[o]) << "row " << i;
    }
    if (problem.targets.classes > 0) {
      const auto best = std::max_element(means.begin(), means.end()) - means.begin();
      ++confusion[static_cast<std::size_t>(problem.targets.labels[test[i]]) * outputs + static_cast<std::size_t>(best)];
    } else {
      const double error = means[0] - problem.targets.values[test[i]];
      squared += error * error;
      absolute += std::fabs(error);
    }
  }
  EXPECT_EQ(outcome.confusion, confusion);
  EXPECT_NEAR(outcome.squared_error, squared, 1e-9 * (1 + squared));
  EXPECT_NEAR(outcome.absolute_error, absolute, 1e-9 * (1 + absolute));
}

inline void compare(Grower& grower, const Work& work, const Grown& expected) {
  Grown grown(work.jobs.size());
  grower.grow(
      work.jobs,
      [&](std::int32_t job, std::int32_t tree, GrownTree one) {
        ASSERT_EQ(static_cast<std::size_t>(tree), grown[job].size());
        grown[job].push_back(std::move(one));
      },
      nullptr);
  for (std::size_t job = 0; job < work.jobs.size(); ++job) {
    ASSERT_EQ(grown[job].size(), expected[job].size());
    for (std::size_t tree = 0; tree < expected[job].size(); ++tree) {
      SCOPED_TRACE("job " + std::to_string(job) + " tree " + std::to_string(tree));
      expect_same(grown[job][tree], expected[job][tree]);
    }
  }
  const std::vector<FoldOutcome> outcomes = grower.score(work.jobs, work.views, true, nullptr).value();
  ASSERT_EQ(outcomes.size(), work.views.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    SCOPED_TRACE("view " + std::to_string(i));
    expect_scores(work, work.views[i], expected[work.views[i].job], outcomes[i]);
  }
}

/// The plain grower's trees.
inline Grown grow_plainly(const Work& work) {
  Grown grown;
  for (const ForestJob& job : work.jobs) {
    grown.emplace_back();
    for (std::int32_t tree = 0; tree < job.trees; ++tree) {
      grown.back().push_back(grow_oracle_tree(work.problem, job, tree));
    }
  }
  return grown;
}

}  // namespace overtake::forest::testing
