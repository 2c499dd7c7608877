// SPDX-License-Identifier: MIT
// The checks of drivers: the CPU passes those that it can be asked, and a device that computes nothing fails them.
#include <gtest/gtest.h>

#include <cmath>

#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

bool is_of_forests(const Check& check) { return check.name.starts_with("forests"); }

TEST(SelfTest, TheCpuPasses) {
  for (const Check& check : checks()) {
    SCOPED_TRACE(check.name);
    if (is_of_forests(check)) continue;  // its forests are what others are compared with
    EXPECT_NO_THROW(check.run(Device("cpu")));
  }
}

TEST(SelfTest, ADeviceThatComputesNothingFails) {
  for (const Check& check : checks()) {
    SCOPED_TRACE(check.name);
    EXPECT_THROW(check.run(Device("null")), WrongResult);
  }
}

TEST(SelfTest, DifferencesAreFoundAndNamed) {
  EXPECT_NO_THROW(expect_close("x", {1.0F, 2.0F}, {1.0 + 1e-7, 2.0}, 1e-6));
  EXPECT_THROW(expect_close("x", {1.0F, 2.0F}, {1.0, 2.1}, 1e-6), WrongResult);
  EXPECT_THROW(expect_close("x", {1.0F}, {1.0, 2.0}, 1e-6), WrongResult);
  EXPECT_THROW(expect_close("x", {std::nanf("")}, {1.0}, 1e-6), WrongResult);
  EXPECT_THROW(expect_equal("x", std::vector{1, 2, 3}, std::vector{1, 2, 4}), WrongResult);
  try {
    expect_equal("sums", std::vector{1.0F, 2.5F}, std::vector{1.0F, 3.0F});
    FAIL() << "different";
  } catch (const WrongResult& wrong) {
    EXPECT_STREQ(wrong.what(), "sums: element 1 is 2.5, not 3");
  }
}

}  // namespace
}  // namespace overtake::self_test
