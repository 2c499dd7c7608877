// SPDX-License-Identifier: MIT
// Small races and placements on the CPU, which every machine has.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "overtake/data_set.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "overtake/race.hpp"
#include "race/cell.hpp"
#include "race/pace.hpp"

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

TEST(RaceDevices, OpenClOnTheCpuIsNoGpu) {
  DeviceInfo info;
  info.backend = "cpu";
  EXPECT_FALSE(is_gpu(info));
  info.backend = "cuda";
  EXPECT_TRUE(is_gpu(info));
  info.backend = "opencl";
  info.name = "AMD Radeon Pro 560";
  EXPECT_TRUE(is_gpu(info));
  info.name = "pthread-skylake";
  EXPECT_FALSE(is_gpu(info));
}

FitReport report_of(int epochs, double first_extra, double epoch_seconds, bool& first) {
  FitReport report;
  report.seconds.compile = 1;
  report.seconds.transfer = 2;
  report.seconds.compute = epochs * epoch_seconds + (first ? first_extra : 0);
  first = false;
  return report;
}

TEST(RacePace, CountsWhatTheFirstEpochPaysAsCompiling) {
  bool first = true;
  const auto pace = race::find_pace([&](int epochs) { return report_of(epochs, 5.0, 0.001, first); }, 100, 10);
  ASSERT_TRUE(pace.has_value());
  EXPECT_NEAR(pace->epoch_seconds, 0.001, 1e-12);
  EXPECT_NEAR(pace->compile_seconds, 1 + 5.0, 1e-9);
  EXPECT_EQ(pace->transfer_seconds, 2);
}

TEST(RacePace, RunsLongEnoughToBeTimedButNoLongerThanAskedFor) {
  bool first = true;
  int most = 0;
  const auto train = [&](int epochs) {
    most = std::max(most, epochs);
    return std::optional(report_of(epochs, 0, 1e-5, first));
  };
  ASSERT_TRUE(race::find_pace(train, 1000000, 10).has_value());
  EXPECT_GE(most * 1e-5, 0.03);
  EXPECT_LE(most * 1e-5, 0.3);
  most = 0;
  ASSERT_TRUE(race::find_pace(train, 7, 10).has_value());
  EXPECT_EQ(most, 7);
}

TEST(RacePace, IsContentWithALongFirstEpoch) {
  int calls = 0;
  const auto train = [&](int epochs) {
    ++calls;
    bool first = true;
    return std::optional(report_of(epochs, 0, 5.0, first));
  };
  const auto pace = race::find_pace(train, 100, 1.0);
  ASSERT_TRUE(pace.has_value());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(pace->epoch_seconds, 5.0);
}

PlacementRequest request_of(const Dataset& data) {
  PlacementRequest request;
  request.model = [] { return race::race_network(3, 0); };
  request.optimizer = [](nn::Module& model) -> std::unique_ptr<optim::Optimizer> {
    return std::make_unique<optim::SGD>(model.parameters(), 0.1);
  };
  request.loss = nn::Loss::cross_entropy();
  request.inputs = Array::from(data.inputs, {data.rows, data.features});
  request.targets = Array::from(data.labels, {data.rows});
  return request;
}

TEST(Placement, AShortTrainingStaysOnTheCpu) {
  PlacementRequest request = request_of(disc(1000, 0));
  request.epochs = 1;
  const Placement placement = choose_device(request);
  EXPECT_EQ(placement.device, "cpu");
  ASSERT_EQ(placement.predictions.size(), 1U) << "no GPU is worth opening for this";
  EXPECT_GE(placement.threads, 1);
  EXPECT_GT(placement.predictions[0].step_seconds, 0);
  EXPECT_NE(placement.reason.find("chose cpu"), std::string::npos) << placement.reason;
}

TEST(Placement, PredictsInProportionToTheEpochs) {
  PlacementRequest request = request_of(disc(250, 0));
  request.epochs = 1000000;
  const Placement placement = choose_device(request);
  const Prediction& cpu = placement.predictions.front();
  // 250 rows in batches of 100: 3 steps an epoch.
  EXPECT_NEAR(cpu.seconds - cpu.start_seconds, cpu.step_seconds * 3e6, 1e-6 * cpu.seconds);
  EXPECT_FALSE(placement.reason.empty());
}

TEST(Placement, TimesAPartOfLongEpochs) {
  PlacementRequest request = request_of(disc(2050, 0));
  request.epochs = 1000000;
  const Prediction cpu = choose_device(request).predictions.front();
  // 21 steps an epoch, of which the trial runs 8.
  EXPECT_NEAR(cpu.seconds - cpu.start_seconds, cpu.step_seconds * 21e6, 1e-6 * cpu.seconds);
}

TEST(Placement, SaysWhatIsMissingWhenNothingFits) {
  PlacementRequest request = request_of(disc(1000, 0));
  request.model = [] { return race::race_network(10, 0); };
  request.memory_limit = 1 << 20;
  request.epochs = 1000000;
  EXPECT_THROW(static_cast<void>(choose_device(request)), DeviceError);
  Device("cpu").set_memory_limit(0);
}

TEST(Placement, RefusesNegativeThreads) { EXPECT_THROW(set_cpu_threads(-1), UsageError); }

TEST(Peaks, CpuReachesSomething) {
  const MeasuredPeak peak = measure_peak(Device("cpu"), 0.05);
  EXPECT_GT(peak.gflops, 0.1);
  EXPECT_GT(peak.gbs, 0.1);
  EXPECT_THROW(static_cast<void>(measure_peak(Device("cpu"), 0)), UsageError);
}

}  // namespace
}  // namespace overtake
