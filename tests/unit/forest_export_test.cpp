// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>

#include "forest_support.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ForestExport, TextOfClasses) {
  EXPECT_EQ(export_text(small_forest(), 0, 10, 2),
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
  EXPECT_EQ(export_text(forest, 0, 10, 2),
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
  EXPECT_EQ(export_text(chain(4), 0, 1, 2),
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

TEST(ForestExport, NumbersReadBackAsTheSame) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    Forest forest = small_regression();
    double number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) number = 1700820000.25;
    if (i % 3 == 0)
      number = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0x7f7fffffU));
    forest.trees[0].threshold[0] = number;
    forest.trees[0].value[1] = number;
    const std::string text = export_text(forest, 0);
    const std::string dot = export_dot(forest, 0);
    const auto read = [](const std::string& from, const std::string& after) {
      return std::strtod(from.c_str() + from.find(after) + after.size(), nullptr);
    };
    EXPECT_EQ(read(text, "length <= "), number);
    EXPECT_EQ(read(text, "length >  "), number);
    EXPECT_EQ(read(text, "value: ["), number);
    EXPECT_EQ(read(dot, "length <= "), number);
    EXPECT_EQ(read(dot.substr(dot.find("1 [label")), "value = "), number);
  }
}

TEST(ForestExport, DigitsForPeople) {
  Forest forest = small_regression();
  forest.trees[0].threshold[0] = 1.0 / 3;
  EXPECT_THAT(export_text(forest, 0, 10, 3), HasSubstr("length <= 0.333\n"));
  EXPECT_THAT(export_dot(forest, 0, 0), HasSubstr("length <= 0\\n"));
  EXPECT_THROW((void)export_text(forest, 0, 10, -1), UsageError);
  EXPECT_THROW((void)export_dot(forest, 0, 18), UsageError);
}

TEST(ForestExport, NamesStayOnTheirLine) {
  Forest forest = small_forest();
  forest.feature_names = {"line\nend", "b"};
  EXPECT_TRUE(export_text(forest, 0).starts_with("|--- line\\nend <= 2.5\n"));
}

TEST(ForestExport, NoSuchTree) {
  EXPECT_THROW((void)export_text(small_forest(), 2), UsageError);
  EXPECT_THROW((void)export_dot(Forest(), 0), UsageError);
}

}  // namespace
}  // namespace overtake::testing
