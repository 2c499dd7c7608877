// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "backend/forest_problem.hpp"
#include "forest/grow/impurity.hpp"
#include "forest/tree/pruning.hpp"
#include "oracle/forest_oracle.hpp"

namespace overtake::forest::testing {
namespace {

using ::testing::ElementsAre;

constexpr std::int32_t no_limit = INT32_MAX;

View view_of(std::int32_t max_depth = no_limit, std::int32_t min_samples_split = 2) {
  View view;
  view.max_depth = max_depth;
  view.min_samples_split = min_samples_split;
  return view;
}

/// A tree of two classes with 16 rows:
///   0: 8|8  ->  1: 8|2  ->  2: 8|0, 3: 0|2
///               4: 0|6 is split in vain into 5: 0|3 and 6: 0|3
struct Small {
  Small() {
    problem.targets.classes = 2;
    problem.weights.emplace_back();
    tree.class_weights = {8, 8, 8, 2, 8, 0, 0, 2, 0, 6, 0, 3, 0, 3};
    const std::vector<std::int32_t> left = {1, 2, -1, -1, 5, -1, -1};
    tree.right = {4, 3, -1, -1, 6, -1, -1};
    const std::vector<std::int32_t> depths = {0, 1, 2, 2, 1, 2, 2};
    for (std::size_t i = 0; i < left.size(); ++i) {
      NodeRecord node = formulas::forest_new_node(0, FOREST_ROOT_KEY);
      node.feature = left[i] < 0 ? -1 : 0;
      node.left = left[i];
      node.weight = tree.class_weights[2 * i] + tree.class_weights[2 * i + 1];
      node.samples = static_cast<std::int32_t>(node.weight);
      node.depth = depths[i];
      tree.nodes.push_back(node);
    }
  }

  [[nodiscard]] std::vector<std::uint8_t> flags(const View& view) const { return leaf_flags(problem, job, view, tree); }

  Problem problem;
  ForestJob job;
  GrownTree tree;
};

TEST(ForestPruning, DepthAndSamples) {
  const Small small;
  EXPECT_THAT(small.flags(view_of()), ElementsAre(0, 0, 1, 1, 0, 1, 1));
  EXPECT_THAT(small.flags(view_of(1)), ElementsAre(0, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(small.flags(view_of(no_limit, 7)), ElementsAre(0, 0, 1, 1, 1, 1, 1));
  EXPECT_EQ(small.flags(view_of(no_limit, 17))[0], 1);
}

TEST(ForestPruning, MinImpurityDecrease) {
  // Root: 0.5 - 10/16 * 0.32 = 0.3; node 1: 10/16 * 0.32 = 0.2; node 4: 0.
  const Small small;
  View view = view_of();
  view.min_impurity_decrease = 1e-9;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 0, 1, 1, 1, 1, 1));
  view.min_impurity_decrease = 0.2;
  EXPECT_EQ(small.flags(view)[1], 0) << "exactly as much is enough";
  view.min_impurity_decrease = 0.21;
  EXPECT_EQ(small.flags(view)[1], 1);
  view.min_impurity_decrease = 0.31;
  EXPECT_EQ(small.flags(view)[0], 1);
}

TEST(ForestPruning, MaxLeafNodesSplitsTheBestFirst) {
  const Small small;
  View view = view_of();
  view.max_leaf_nodes = 2;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 1, 1, 1, 1, 1, 1));
  view.max_leaf_nodes = 3;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 0, 1, 1, 1, 1, 1));
  view.max_leaf_nodes = 4;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 0, 1, 1, 0, 1, 1));
  view.max_leaf_nodes = 100;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 0, 1, 1, 0, 1, 1));
}

TEST(ForestPruning, CcpAlphaCutsTheWeakestLink) {
  // Node 4 gains nothing: cut at any alpha above 0. Node 1: 0.2 for one leaf more. Then the root: 0.3.
  const Small small;
  View view = view_of();
  view.ccp_alpha = 1e-12;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 0, 1, 1, 1, 1, 1));
  view.ccp_alpha = 0.2001;
  EXPECT_THAT(small.flags(view), ElementsAre(0, 1, 1, 1, 1, 1, 1));
  view.ccp_alpha = 0.29;
  EXPECT_EQ(small.flags(view)[0], 0);
  view.ccp_alpha = 0.31;
  EXPECT_EQ(small.flags(view)[0], 1);
}

TEST(ForestPruning, PruneKeepsTheOrder) {
  const Small small;
  const GrownTree cut = prune(small.tree, {0, 1, 0, 0, 0, 1, 1}, 2);
  ASSERT_EQ(cut.nodes.size(), 5U);
  EXPECT_EQ(cut.nodes[0].left, 1);
  EXPECT_THAT(cut.right, ElementsAre(2, -1, 4, -1, -1));
  EXPECT_EQ(cut.nodes[1].feature, -1);
  EXPECT_EQ(cut.nodes[1].left, -1);
  EXPECT_EQ(cut.nodes[2].left, 3);
  EXPECT_THAT(cut.class_weights, ElementsAre(8, 8, 8, 2, 0, 6, 0, 3, 0, 3));
  EXPECT_EQ(prune(small.tree, small.flags(view_of()), 2).nodes.size(), small.tree.nodes.size());
  EXPECT_EQ(prune(small.tree, {1, 0, 0, 0, 0, 0, 0}, 2).nodes.size(), 1U);
}

/// Leaves that are reached.
std::int32_t leaves_of(const GrownTree& tree) { return static_cast<std::int32_t>(tree.nodes.size() + 1) / 2; }

struct Grown {
  explicit Grown(std::uint32_t seed) {
    ProblemShape shape;
    shape.classes = seed % 2 == 0 ? 3 : 0;
    shape.missing = 0.1;
    shape.seed = seed;
    problem = make_problem(shape);
    job = make_job(problem);
    tree = grow_oracle_tree(problem, job, 0);
  }
  [[nodiscard]] GrownTree cut(const View& view) const {
    return prune(tree, leaf_flags(problem, job, view, tree), problem.targets.classes);
  }
  [[nodiscard]] double cost(const GrownTree& of) const {
    double cost = 0;
    const std::vector<double> impurities = impurities_of(problem, job.rule.criterion, of);
    for (std::size_t i = 0; i < of.nodes.size(); ++i) {
      if (of.nodes[i].feature >= 0) continue;
      cost += of.nodes[i].weight * impurities[i];
    }
    return cost / of.nodes[0].weight;
  }

  Problem problem;
  ForestJob job;
  GrownTree tree;
};

TEST(ForestPruning, MoreAlphaNeverKeepsMore) {
  for (std::uint32_t seed = 1; seed < 9; ++seed) {
    const Grown grown(seed);
    std::int32_t before = leaves_of(grown.tree);
    ASSERT_GT(before, 10);
    for (double alpha = 1e-6; alpha < 100; alpha *= 3) {
      View view = view_of();
      view.ccp_alpha = alpha;
      const std::int32_t now = leaves_of(grown.cut(view));
      EXPECT_LE(now, before);
      before = now;
    }
    EXPECT_EQ(before, 1);
  }
}

// Breiman's definition: the pruned tree has the smallest cost + alpha * leaves of all prunings; here of many at random.
TEST(ForestPruning, CcpAlphaMinimisesTheCost) {
  std::mt19937 random(1);
  for (std::uint32_t seed = 1; seed < 9; ++seed) {
    const Grown grown(seed);
    for (const double alpha : {0.0005, 0.005, 0.05}) {
      View view = view_of();
      view.ccp_alpha = alpha;
      const GrownTree best = grown.cut(view);
      const double least = grown.cost(best) + alpha * leaves_of(best);
      for (int i = 0; i < 200; ++i) {
        std::vector<std::uint8_t> flags =
            leaf_flags(grown.problem, grown.job, i % 2 == 0 ? view : view_of(), grown.tree);
        const auto share = 2 + random() % 20;
        for (std::uint8_t& flag : flags) flag = flag != 0 || random() % share == 0 ? 1 : 0;
        const GrownTree other = prune(grown.tree, flags, grown.problem.targets.classes);
        EXPECT_LE(least, grown.cost(other) + alpha * leaves_of(other) + 1e-9);
      }
    }
  }
}

TEST(ForestPruning, MaxLeafNodesIsMetAndNested) {
  for (std::uint32_t seed = 1; seed < 9; ++seed) {
    const Grown grown(seed);
    std::vector<std::uint8_t> before(grown.tree.nodes.size(), 1);
    for (std::int32_t leaves = 2; leaves <= leaves_of(grown.tree); ++leaves) {
      View view = view_of();
      view.max_leaf_nodes = leaves;
      const auto flags = leaf_flags(grown.problem, grown.job, view, grown.tree);
      EXPECT_EQ(leaves_of(prune(grown.tree, flags, grown.problem.targets.classes)), leaves);
      int opened = 0;
      for (std::size_t i = 0; i < flags.size(); ++i) {
        EXPECT_LE(flags[i], before[i]);
        opened += before[i] - flags[i];
      }
      EXPECT_EQ(opened, 1);
      before = flags;
    }
  }
}

// A search reads depth and samples off the nodes; the result is that of growing with these limits.
TEST(ForestPruning, CuttingIsGrowingLess) {
  for (std::uint32_t seed = 1; seed < 9; ++seed) {
    const Grown grown(seed);
    for (const std::int32_t depth : {1, 2, 4}) {
      for (const std::int32_t samples : {2, 9, 40}) {
        ForestJob job = grown.job;
        job.max_depth = depth;
        job.min_samples_split = samples;
        const GrownTree expected = grow_oracle_tree(grown.problem, job, 0);
        const GrownTree cut = grown.cut(view_of(depth, samples));
        ASSERT_EQ(cut.nodes.size(), expected.nodes.size());
        EXPECT_EQ(cut.right, expected.right);
        EXPECT_EQ(cut.means, expected.means);
        EXPECT_EQ(cut.class_weights, expected.class_weights);
        for (std::size_t i = 0; i < cut.nodes.size(); ++i) {
          EXPECT_EQ(cut.nodes[i].feature, expected.nodes[i].feature);
          EXPECT_EQ(cut.nodes[i].left, expected.nodes[i].left);
          EXPECT_EQ(cut.nodes[i].cut, expected.nodes[i].cut);
          EXPECT_EQ(cut.nodes[i].between, expected.nodes[i].between);
          EXPECT_EQ(cut.nodes[i].key, expected.nodes[i].key);
        }
      }
    }
  }
}

}  // namespace
}  // namespace overtake::forest::testing
