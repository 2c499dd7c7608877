// SPDX-License-Identifier: MIT
// The CPU's grower against the plain one, over random problems and rules.
#include <gtest/gtest.h>

#include <cmath>

#include <string>

#include "backend/forest_problem.hpp"
#include "forest/host/tree.hpp"
#include "oracle/forest_oracle.hpp"

namespace overtake::forest::testing {
namespace {

std::string text_of(const NodeRecord& node) {
  std::string text;
  const auto add = [&](const char* name, auto value) { text += std::string(name) + std::to_string(value); };
  add("feature ", node.feature);
  add(" left ", node.left);
  add(" low ", node.between & 0xffffU);
  add(" high ", node.between >> 16);
  add(" cut ", node.cut & 0xffffU);
  add(" missing left ", node.cut >> 16);
  add(" samples ", node.samples);
  add(" weight ", node.weight);
  add(" depth ", node.depth);
  add(" key ", node.key);
  return text;
}

void expect_same(const GrownTree& grown, const GrownTree& expected) {
  for (std::size_t i = 0; i < std::min(grown.nodes.size(), expected.nodes.size()); ++i) {
    ASSERT_EQ(text_of(grown.nodes[i]), text_of(expected.nodes[i])) << "node " << i;
  }
  EXPECT_EQ(grown.nodes.size(), expected.nodes.size());
  EXPECT_EQ(grown.right, expected.right);
  EXPECT_EQ(grown.class_weights, expected.class_weights);
  EXPECT_EQ(grown.means, expected.means);
  expect_near_impurities(grown, expected);
}

/// A random problem and a random job on it.
void compare(std::uint32_t seed, Criterion criterion) {
  std::mt19937 random(seed);
  const auto one_in = [&](std::uint32_t n) { return random() % n == 0; };
  const bool for_classes = criterion == Criterion::gini || criterion == Criterion::entropy;
  ProblemShape shape;
  shape.rows = 1 + static_cast<std::int32_t>(random() % 300);
  shape.features = 1 + static_cast<std::int32_t>(random() % 6);
  shape.classes = for_classes ? 1 + static_cast<std::int32_t>(random() % 5) : 0;
  shape.bins = 2 + static_cast<std::int32_t>(random() % (one_in(4) ? 300 : 20));
  shape.missing = one_in(2) ? 0.15 : 0;
  shape.weighted = one_in(3);
  shape.balanced = for_classes && one_in(3);
  shape.positive = criterion == Criterion::poisson;
  if (one_in(3)) shape.sentinel = std::pow(10.0, static_cast<double>(random() % 31));
  shape.folds = one_in(2) ? 3 : 1;
  shape.wide = shape.bins > 255 || one_in(4);
  shape.seed = seed;
  const Problem problem = make_problem(shape);
  if (problem.folds[0].train.empty()) return;
  ForestJob job = make_job(problem);
  job.rule.criterion = criterion;
  job.rule.random_thresholds = one_in(3);
  job.rule.max_features = 1 + static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(shape.features));
  job.rule.min_samples_leaf = one_in(3) ? 3 : 1;
  job.rule.min_weight_leaf = one_in(4) ? 2.5 : 0;
  job.bootstrap = !one_in(3);
  job.min_samples_split = one_in(4) ? 7 : 2;
  if (one_in(4)) job.max_depth = 3;
  if (one_in(4)) job.draws = 1 + job.draws / 2;
  job.seed = (std::uint64_t{random()} << 32) | random();
  const auto grower = make_host_tree_grower(problem);
  for (std::int32_t tree = 0; tree < 3; ++tree) {
    SCOPED_TRACE("problem " + std::to_string(seed) + ", tree " + std::to_string(tree));
    expect_same(grower->grow(job, tree, true, nullptr).value(), grow_oracle_tree(problem, job, tree));
    if (::testing::Test::HasFailure()) return;
  }
}

class ForestHostGrower : public ::testing::TestWithParam<Criterion> {};

TEST_P(ForestHostGrower, GrowsWhatTheRulesSay) {
  for (std::uint32_t seed = 1; seed <= 200 && !HasFailure(); ++seed) compare(seed, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Criteria, ForestHostGrower,
                         ::testing::Values(Criterion::gini, Criterion::entropy, Criterion::squared_error,
                                           Criterion::friedman_mse, Criterion::poisson),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace overtake::forest::testing
