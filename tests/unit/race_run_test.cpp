// SPDX-License-Identifier: MIT
// Small races on the CPU, which every machine has.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/race.hpp"
#include "race/cell.hpp"

namespace overtake {
namespace {

RaceOptions small_race() {
  RaceOptions options;
  options.layers = {4, 2, 2};
  options.epochs = 3;
  options.repeat = 3;
  options.devices = {"cpu"};
  return options;
}

TEST(RaceNetwork, HasTheParametersOfTheSweep) {
  // Widths 2-4-2, 2-4-8-2, ..., counted by hand for the small ones.
  EXPECT_EQ(race_parameters(2), 22);
  EXPECT_EQ(race_parameters(3), 70);
  EXPECT_EQ(race_parameters(12), 11201190);
  for (const int layers : {2, 3, 6}) {
    nn::Sequential network = race::race_network(layers, 0);
    EXPECT_EQ(network.parameter_count(), race_parameters(layers)) << layers;
  }
}

TEST(Race, SortsRowsAndFillsCells) {
  const RaceResult result = run_race(small_race());
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[0].layers, 2);
  EXPECT_EQ(result.rows[1].layers, 4);
  EXPECT_FALSE(result.interrupted);
  for (const RaceRow& row : result.rows) {
    ASSERT_EQ(row.results.size(), 1U);
    const RaceCell& cell = row.results[0];
    EXPECT_EQ(cell.device, "cpu");
    EXPECT_EQ(cell.steps, 30);
    EXPECT_EQ(row.compared_steps, 30);
    EXPECT_FALSE(cell.cut);
    EXPECT_GT(cell.step_us, 0);
    EXPECT_NEAR(cell.seconds, cell.step_us * 30e-6, 1e-9);
    EXPECT_GE(cell.threads, 1);
    EXPECT_GT(cell.final_loss, 0);
    EXPECT_TRUE(std::isnan(row.max_loss_difference)) << "one device has nothing to differ from";
  }
  EXPECT_FALSE(result.crossover.parameters.has_value());
}

TEST(Race, LossesDoNotDependOnRepeatsAndBudget) {
  RaceOptions options = small_race();
  const RaceResult first = run_race(options);
  options.repeat = 1;
  options.budget_seconds = 0;
  const RaceResult second = run_race(options);
  EXPECT_EQ(first.rows[1].results[0].final_loss, second.rows[1].results[0].final_loss);
  options.seed = 1;
  EXPECT_NE(run_race(options).rows[1].results[0].final_loss, second.rows[1].results[0].final_loss);
}

TEST(Race, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change) {
    RaceOptions options = small_race();
    change(options);
    EXPECT_THROW(static_cast<void>(run_race(options)), UsageError);
  };
  refused([](RaceOptions& o) { o.layers = {}; });
  refused([](RaceOptions& o) { o.layers = {1}; });
  refused([](RaceOptions& o) { o.layers = {15}; });
  refused([](RaceOptions& o) { o.epochs = 0; });
  refused([](RaceOptions& o) { o.batch = 0; });
  refused([](RaceOptions& o) { o.samples = 0; });
  refused([](RaceOptions& o) { o.repeat = 0; });
  refused([](RaceOptions& o) { o.learning_rate = std::nan(""); });
  refused([](RaceOptions& o) { o.budget_seconds = -1; });
  refused([](RaceOptions& o) { o.devices = {"quantum"}; });
}

TEST(Race, ABatchLargerThanTheDataIsOneStepAnEpoch) {
  RaceOptions options = small_race();
  options.layers = {2};
  options.samples = 7;
  options.batch = 1000;
  EXPECT_EQ(run_race(options).rows[0].results[0].steps, 3);
}

TEST(Race, StopsWhenAsked) {
  StopToken stop;
  stop.request();
  const RaceResult result = run_race(small_race(), nullptr, &stop);
  EXPECT_TRUE(result.interrupted);
  EXPECT_TRUE(result.rows.empty());
}

TEST(Race, ViewsHoldEveryRow) {
  const RaceResult result = run_race(small_race());
  EXPECT_EQ(race_table(result).rows.size(), 2U);
  const report::Chart chart = race_chart(result);
  ASSERT_EQ(chart.series.size(), 1U);
  EXPECT_EQ(chart.series[0].x, (std::vector<double>{22, 230}));
  EXPECT_NE(race_json(result).find("\"schema\": \"overtake.race/1\""), std::string::npos);
  EXPECT_NE(race_html(result).find("<td>230</td>"), std::string::npos);
}

}  // namespace
}  // namespace overtake
