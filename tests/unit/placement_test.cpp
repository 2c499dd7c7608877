// SPDX-License-Identifier: MIT
// Which processor finishes first: on the CPU, which every machine has, and among devices made up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data_support.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/placement.hpp"
#include "overtake/report.hpp"
#include "placement/choice.hpp"
#include "placement/pace.hpp"
#include "placement/rates.hpp"
#include "race/cell.hpp"

namespace overtake {
namespace {

DeviceInfo device_of(const std::string& id, DeviceKind kind, int units, double peak) {
  DeviceInfo info;
  info.id = id;
  info.kind = kind;
  info.compute_units = units;
  info.peak_gflops = peak;
  return info;
}

std::vector<DeviceInfo> made_up() {
  std::vector<DeviceInfo> all = {
      device_of("cpu", DeviceKind::cpu, 8, 500),          device_of("cuda:0", DeviceKind::gpu, 100, 50000),
      device_of("cuda:1", DeviceKind::gpu, 132, 60000),   device_of("opencl:0", DeviceKind::opencl_on_cpu, 200, 0),
      device_of("opencl:1", DeviceKind::gpu, 132, 60000), device_of("opencl:2", DeviceKind::gpu, 400, 0),
      device_of("opencl:3", DeviceKind::gpu, 999, 90000)};
  all.back().usable = false;
  return all;
}

/// Seconds by device, and in which order they were asked for. Below 0: cannot run it.
struct Script {
  std::map<std::string, double> seconds;
  std::vector<std::string> asked;

  Placement choose(const std::vector<DeviceInfo>& all = made_up(), const MemoryLimits& limits = {}) {
    const auto predict = [&](const DeviceInfo& info) {
      asked.push_back(info.id);
      Prediction prediction;
      prediction.device = info.id;
      prediction.threads = info.kind == DeviceKind::cpu ? 5 : 0;
      prediction.seconds = seconds.at(info.id);
      prediction.failure = prediction.seconds < 0 ? "no room" : "";
      return std::optional(prediction);
    };
    return placement::choose(predict, Candidates::likely, {[&](Candidates) { return all; }, [](const std::string&) {}},
                             {}, limits);
  }
};

using Ids = std::vector<std::string>;

TEST(PlacementChoice, TheLargestGpuIsTheCandidateWhateverItsBackend) {
  Script script{{{"cpu", 20}, {"cuda:1", 2}}, {}};
  const Placement placement = script.choose();
  EXPECT_EQ(script.asked, (Ids{"cpu", "cuda:1"}));
  EXPECT_EQ(placement.device, "cuda:1");
  EXPECT_EQ(placement.threads, 5);
  EXPECT_EQ(placement.reason, "predicted: about 20.0 s on cpu, about 2.00 s on cuda:1");
}

TEST(PlacementChoice, TheNextGpuIsAskedWhereOneCannotRunTheWork) {
  Script script{{{"cpu", 20}, {"cuda:1", -1}, {"opencl:1", -1}, {"cuda:0", 30}}, {}};
  const Placement placement = script.choose();
  EXPECT_EQ(script.asked, (Ids{"cpu", "cuda:1", "opencl:1", "cuda:0"}));
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_NE(placement.reason.find("opencl:1 cannot run it (no room)"), std::string::npos) << placement.reason;
}

TEST(PlacementChoice, AnOpenClGpuAloneIsACandidateAndOpenClOnTheCpuIsNone) {
  std::vector<DeviceInfo> all = made_up();
  std::erase_if(all, [](const DeviceInfo& info) { return info.id.starts_with("cuda") || info.id == "opencl:1"; });
  Script script{{{"cpu", 20}, {"opencl:2", 3}}, {}};
  EXPECT_EQ(script.choose(all).device, "opencl:2");
  all.resize(2);
  Script without{{{"cpu", 20}}, {}};
  const Placement placement = without.choose(all);
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_EQ(placement.reason, "predicted: about 20.0 s on cpu; no usable GPU, overtake doctor says why");
}

TEST(PlacementChoice, NoGpuIsLookedForWhereTheCpuIsDoneBeforeItStarts) {
  Script script{{{"cpu", 0.2}}, {}};
  const Placement placement = script.choose();
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_EQ(placement.reason, "predicted: about 200 ms on cpu, less than a GPU takes to start");
}

TEST(PlacementChoice, WhereNothingCanRunTheWorkThereIsAnError) {
  Script script{{{"cpu", -1}}, {}};
  EXPECT_THROW((void)script.choose({}), DeviceError);
  EXPECT_EQ(placement::choose([](const DeviceInfo&) { return std::nullopt; }, Candidates::likely).device, "cpu")
      << "stopped";
}

TEST(PlacementChoice, WithinLimitsTheCpuLooksItselfWhereNothingSeemsToFit) {
  Script script{{{"cpu", -1}, {"cuda:1", -1}, {"opencl:1", -1}, {"cuda:0", -1}, {"opencl:2", -1}}, {}};
  const Placement placement = script.choose(made_up(), {0, 100});
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_NE(placement.reason.find("cpu cannot run it (no room)"), std::string::npos) << placement.reason;
}

TEST(PlacementChoice, DriversForCpusAreNotLoadedWhenGpusAreLookedFor) {
  const auto all = backend::backends();
  const auto opencl = std::find_if(all.begin(), all.end(), [](const auto* one) { return one->name() == "opencl"; });
  ASSERT_NE(opencl, all.end());
  if (!(*opencl)->has_driver()) GTEST_SKIP() << "built without OpenCL";
  const test::TempFolder folder;
  const char* before = std::getenv("OCL_ICD_VENDORS");
  const std::string vendors = before != nullptr ? before : "";
  ::setenv("OCL_ICD_VENDORS", folder.path().c_str(), 1);
  EXPECT_TRUE((*opencl)->may_have_gpus()) << "the loader may be a driver itself";
  std::ofstream(folder / "pocl.icd") << "libpocl.so.2.9.0\n";
  std::ofstream(folder / "intel.icd") << "/opt/intel/libintelocl.so\n";
  EXPECT_FALSE((*opencl)->may_have_gpus());
  std::ofstream(folder / "nvidia.icd") << "libnvidia-opencl.so.1\n";
  EXPECT_TRUE((*opencl)->may_have_gpus());
  before != nullptr ? ::setenv("OCL_ICD_VENDORS", vendors.c_str(), 1) : ::unsetenv("OCL_ICD_VENDORS");
}

TEST(PlacementRates, UnitsThatNobodyMeasuredCountLittle) {
  const std::vector<DeviceInfo> all = made_up();
  const auto rate = [&](std::size_t i) { return placement::visits_a_second(all[i]); };
  EXPECT_GT(rate(2), rate(1));
  EXPECT_EQ(rate(2), rate(4)) << "one GPU, two backends";
  EXPECT_LT(rate(5), rate(1)) << "400 units of another make";
  EXPECT_GT(rate(5), 0);
  set_cpu_threads(1);
  const double one = rate(0);
  set_cpu_threads(0);
  EXPECT_EQ(rate(0), one * cpu_threads());
}

TEST(PlacementForests, LittleWorkStaysOnTheCpu) {
  const ForestWork work = forest_work(disc(100, 0), {ForestParameters()});
  const Placement placement = choose_device([&](const DeviceInfo& on) { return predict_forest(work, on); });
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_NE(placement.reason.find("less than a GPU takes to start"), std::string::npos) << placement.reason;
}

TEST(Kinds, AreWhatTheBackendsSay) {
  EXPECT_EQ(Device("cpu").info().kind, DeviceKind::cpu);
  EXPECT_EQ(Device("null").info().kind, DeviceKind::none);
  for (const DeviceInfo& info : list_devices()) {
    if (info.id.starts_with("cuda:")) {
      EXPECT_EQ(info.kind, DeviceKind::gpu) << info.id;
    } else if (info.driver.find("PoCL") != std::string::npos) {
      EXPECT_EQ(info.kind, DeviceKind::opencl_on_cpu) << info.name;
    }
  }
  EXPECT_NE(report::device_json(Device("cpu").info()).dump().find("\"kind\": \"cpu\""), std::string::npos);
}

FitReport report_of(int epochs, double first_extra, double epoch_seconds, bool& first) {
  FitReport report;
  report.seconds.compile = 1;
  report.seconds.transfer = 2;
  report.seconds.compute = epochs * epoch_seconds + (first ? first_extra : 0);
  first = false;
  return report;
}

TEST(Pace, CountsWhatTheFirstEpochPaysAsCompiling) {
  bool first = true;
  const auto pace = placement::find_pace([&](int epochs) { return report_of(epochs, 5.0, 0.001, first); }, 100, 10);
  ASSERT_TRUE(pace.has_value());
  EXPECT_NEAR(pace->epoch_seconds, 0.001, 1e-12);
  EXPECT_NEAR(pace->compile_seconds, 1 + 5.0, 1e-9);
  EXPECT_EQ(pace->transfer_seconds, 2);
}

TEST(Pace, RunsLongEnoughToBeTimedButNoLongerThanAskedFor) {
  bool first = true;
  int most = 0;
  const auto train = [&](int epochs) {
    most = std::max(most, epochs);
    return std::optional(report_of(epochs, 0, 1e-5, first));
  };
  ASSERT_TRUE(placement::find_pace(train, 1000000, 10).has_value());
  EXPECT_GE(most * 1e-5, 0.03);
  EXPECT_LE(most * 1e-5, 0.3);
  most = 0;
  ASSERT_TRUE(placement::find_pace(train, 7, 10).has_value());
  EXPECT_EQ(most, 7);
}

TEST(Pace, IsContentWithALongFirstEpoch) {
  int calls = 0;
  const auto train = [&](int epochs) {
    ++calls;
    bool first = true;
    return std::optional(report_of(epochs, 0, 5.0, first));
  };
  const auto pace = placement::find_pace(train, 100, 1.0);
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
  EXPECT_NE(placement.reason.find("less than a GPU takes to start"), std::string::npos) << placement.reason;
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
