// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forest_support.hpp"
#include "overtake/error.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ForestExport, TextOfClasses) {
  EXPECT_EQ(export_text(small_forest(), 0),
            "|--- length <= 2.50\n"
            "|   |--- class: red\n"
            "|--- length >  2.50\n"
            "|   |--- width <= 1.50\n"
            "|   |   |--- class: green\n"
            "|   |--- width >  1.50\n"
            "|   |   |--- class: blue\n");
  EXPECT_EQ(export_text(small_forest(), 1), "|--- class: green\n");
}

TEST(ForestExport, TextOfNumbersWithoutNames) {
  Forest forest = small_regression();
  forest.feature_names.clear();
  EXPECT_EQ(export_text(forest, 0),
            "|--- feature_0 <= 2.50\n"
            "|   |--- value: [-1.00]\n"
            "|--- feature_0 >  2.50\n"
            "|   |--- feature_1 <= 1.50\n"
            "|   |   |--- value: [2.00]\n"
            "|   |--- feature_1 >  1.50\n"
            "|   |   |--- value: [5.00]\n");
}

/// A tree that goes down to the right `levels` times.
Forest chain(std::int32_t levels) {
  Forest forest = small_regression();
  Tree tree;
  for (std::int32_t i = 0; i <= 2 * levels; ++i) {
    const bool leaf = i % 2 == 1 || i == 2 * levels;
    tree.feature.push_back(leaf ? -1 : 0);
    tree.left.push_back(leaf ? -1 : i + 1);
    tree.right.push_back(leaf ? -1 : i + 2);
    tree.threshold.push_back(i);
    tree.nan_left.push_back(0);
    tree.impurity.push_back(0);
    tree.samples.push_back(1);
    tree.weighted_samples.push_back(1);
    tree.value.push_back(i);
  }
  forest.trees = {tree};
  return forest;
}

TEST(ForestExport, DeepBranchesAreCut) {
  // With max_depth 1, scikit-learn writes the nodes of depth 0 to 1 and what is left of deeper ones in one line.
  EXPECT_EQ(export_text(chain(4), 0, 1),
            "|--- length <= 0.00\n"
            "|   |--- value: [1.00]\n"
            "|--- length >  0.00\n"
            "|   |--- length <= 2.00\n"
            "|   |   |--- value: [3.00]\n"
            "|   |--- length >  2.00\n"
            "|   |   |--- truncated branch of depth 3\n");
  EXPECT_THAT(export_text(chain(100000), 0), HasSubstr("truncated branch of depth 99990"));
}

TEST(ForestExport, Dot) {
  const std::string dot = export_dot(small_forest(), 0);
  EXPECT_TRUE(dot.starts_with("digraph tree {"));
  EXPECT_TRUE(dot.ends_with("}\n"));
  EXPECT_THAT(dot, HasSubstr("0 [label=\"length <= 2.5\\ngini = 0.66\\nsamples = 6\\nvalue = [0.34, 0.33, 0.33]\\n"
                             "class = red\"];"));
  EXPECT_THAT(dot, HasSubstr("0 -> 1 [label=\"true\"];"));
  EXPECT_THAT(dot, HasSubstr("0 -> 2 [label=\"false or missing\"];"));
  EXPECT_THAT(dot, HasSubstr("2 -> 3 [label=\"true or missing\"];"));
  EXPECT_THAT(export_dot(small_regression(), 1),
              HasSubstr("0 [label=\"squared_error = 0.5\\nsamples = 4\\nvalue = 1\"];"));
}

TEST(ForestExport, DotEscapesNames) {
  Forest forest = small_forest();
  forest.feature_names = {"a \"b\" \\ c", "line\nend"};
  const std::string dot = export_dot(forest, 0);
  EXPECT_THAT(dot, HasSubstr("a \\\"b\\\" \\\\ c <= 2.5"));
  EXPECT_THAT(dot, HasSubstr("line\\nend <= 1.5"));
}

TEST(ForestExport, NoSuchTree) {
  EXPECT_THROW((void)export_text(small_forest(), 2), UsageError);
  EXPECT_THROW((void)export_dot(Forest(), 0), UsageError);
}

}  // namespace
}  // namespace overtake::testing
