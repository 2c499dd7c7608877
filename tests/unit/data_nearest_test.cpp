// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "core/nearest.hpp"

namespace overtake {
namespace {

TEST(Nearest, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("lenght", "length"), 1U);  // one swap
  EXPECT_EQ(edit_distance("Species", "species"), 0U);
}

TEST(Nearest, FindsTheMisspeltName) {
  const std::vector<std::string> names = {"sepal_length", "sepal_width", "petal_length", "petal_width", "species"};
  EXPECT_EQ(nearest("specis", names), "species");
  EXPECT_EQ(nearest("petal_lenght", names), "petal_length");
  EXPECT_EQ(nearest("SPECIES", names), "species");
}

TEST(Nearest, OffersNothingWhenNothingIsNear) {
  const std::vector<std::string> names = {"species", "width"};
  EXPECT_EQ(nearest("colour", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("x", std::vector<std::string>{"y"}), "");
  EXPECT_EQ(nearest("species", {}), "");
  EXPECT_EQ(nearest(std::string(5000, 'a'), names), "");
}

TEST(Nearest, AcceptsABeginning) {
  const std::vector<std::string> names = {"hidden", "validation-fraction"};
  EXPECT_EQ(nearest("validation", names), "validation-fraction");
  EXPECT_EQ(nearest("va", names), "");
}

TEST(Nearest, FirstOfEqualsWins) {
  const std::vector<std::string> names = {"cpu1", "cpu2"};
  EXPECT_EQ(nearest("cpu3", names), "cpu1");
}

}  // namespace
}  // namespace overtake
