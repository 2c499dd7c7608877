// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "overtake/race.hpp"

namespace overtake {
namespace {

/// Sizes 100, 1,000, 10,000, ... with the given times and one relative spread for both.
std::vector<CrossoverPoint> points(const std::vector<double>& cpu, const std::vector<double>& other,
                                   double spread = 0) {
  std::vector<CrossoverPoint> out;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    out.push_back({100 * std::pow(10.0, static_cast<double>(i)), cpu[i], other[i], spread * cpu[i], spread * other[i]});
  }
  return out;
}

TEST(Crossover, InterpolatesInLogarithms) {
  // Leads 1/10 and 10: the lines meet half-way between 1,000 and 10,000 in logarithms.
  const Crossover found = crossover(points({1, 1, 10}, {100, 10, 1}), "gpu");
  ASSERT_TRUE(found.parameters.has_value());
  EXPECT_NEAR(*found.parameters, std::sqrt(1000.0 * 10000.0), 1e-6);
  EXPECT_NE(found.statement.find("gpu overtakes the CPU at about 3,160 parameters"), std::string::npos)
      << found.statement;
  EXPECT_NE(found.statement.find("largest size raced (10,000 parameters)"), std::string::npos) << found.statement;
}

TEST(Crossover, WeighsTheTwoLeads) {
  // Leads 1/2 and 8: the meeting point lies a quarter of the way.
  const Crossover found = crossover(points({1, 8}, {2, 1}), "gpu");
  ASSERT_TRUE(found.parameters.has_value());
  EXPECT_NEAR(*found.parameters, 100 * std::pow(10.0, 0.25), 1e-6);
}

TEST(Crossover, NeverAhead) {
  const Crossover found = crossover(points({1, 2, 3}, {2, 3, 4}), "gpu");
  EXPECT_FALSE(found.parameters.has_value());
  EXPECT_NE(found.statement.find("CPU finishes first at every size"), std::string::npos) << found.statement;
}

TEST(Crossover, AlwaysAhead) {
  const Crossover found = crossover(points({2, 3, 4}, {1, 2, 3}), "gpu");
  ASSERT_TRUE(found.parameters.has_value());
  EXPECT_NEAR(*found.parameters, 100, 1e-9);
  EXPECT_NE(found.statement.find("ahead at every size"), std::string::npos) << found.statement;
}

TEST(Crossover, TakesTheLastOfTwoCrossings) {
  // Ahead, behind, ahead: only the last crossing lasts.
  const Crossover found = crossover(points({10, 1, 10}, {1, 10, 1}), "gpu");
  ASSERT_TRUE(found.parameters.has_value());
  EXPECT_NEAR(*found.parameters, std::sqrt(1000.0 * 10000.0), 1e-6);
}

TEST(Crossover, AheadButNotAtTheLargestSize) {
  const Crossover found = crossover(points({1, 10, 1}, {10, 1, 10}), "gpu");
  EXPECT_FALSE(found.parameters.has_value());
  EXPECT_NE(found.statement.find("not at the largest"), std::string::npos) << found.statement;
}

TEST(Crossover, ADipWithinTheNoiseDoesNotCount) {
  const std::vector<double> cpu = {1, 10, 10.0, 100};
  const std::vector<double> other = {10, 1, 10.2, 1};
  const Crossover noisy = crossover(points(cpu, other, 0.05), "gpu");
  ASSERT_TRUE(noisy.parameters.has_value());
  EXPECT_NEAR(*noisy.parameters, std::sqrt(100.0 * 1000.0), 1e-6);
  const Crossover exact = crossover(points(cpu, other, 0), "gpu");
  ASSERT_TRUE(exact.parameters.has_value());
  EXPECT_GT(*exact.parameters, 10000.0);
}

TEST(Crossover, EqualWithinTheNoiseIsNoOvertaking) {
  // Ahead once, clearly behind, then level: nothing lasts.
  const Crossover found = crossover(points({10, 1, 1.00}, {1, 10, 1.01}, 0.05), "gpu");
  EXPECT_FALSE(found.parameters.has_value());
  EXPECT_NE(found.statement.find("within the noise"), std::string::npos) << found.statement;
}

TEST(Crossover, LeavesOutSizesWithoutTimes) {
  auto data = points({1, 1, 1, 10}, {100, 10, 10, 1});
  data[1].other = std::numeric_limits<double>::quiet_NaN();
  data[2].cpu = 0;
  const Crossover found = crossover(data, "gpu");
  ASSERT_TRUE(found.parameters.has_value());
  // Leads 1/100 at 100 and 10 at 100,000: two thirds of three decades.
  EXPECT_NEAR(*found.parameters, 100 * std::pow(10.0, 2.0), 1e-6);
  EXPECT_FALSE(crossover({}, "gpu").parameters.has_value());
}

}  // namespace
}  // namespace overtake
