// SPDX-License-Identifier: MIT
// When the CPU and a GPU are chosen together, by predicted times made up.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "placement/choice.hpp"

namespace overtake {
namespace {

Prediction made_up(std::string device, double start, double compute, int threads = 0) {
  Prediction of;
  of.device = std::move(device);
  of.threads = threads;
  of.start_seconds = start;
  of.compute_seconds = compute;
  of.total();
  return of;
}

TEST(SharedPrediction, TwoEqualDevicesTakeHalfTheTimeAndTheStart) {
  const auto both = predict_shared(made_up("cpu", 0, 20, 1000), made_up("cuda:0", 0.35, 20), {100, 0});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->device, "cpu + cuda:0");
  EXPECT_NEAR(both->seconds, 10.35, 0.3);
  EXPECT_DOUBLE_EQ(both->start_seconds, 0.35);
}

TEST(SharedPrediction, TheCpuGivesAThreadToTheOther) {
  const auto both = predict_shared(made_up("cpu", 0, 20, 2), made_up("cuda:0", 0, 20), {300, 0});
  ASSERT_TRUE(both);
  EXPECT_NEAR(both->seconds, 40.0 / 3, 0.2) << "one of two threads: 40 s alone";
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 20, 1), made_up("cuda:0", 0, 20), {300, 0})) << "none is left";
}

TEST(SharedPrediction, ATwentiethOfTheTimeAndATenthOfASecondMustBeSaved) {
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 100, 16), made_up("cuda:0", 0.35, 5), {100, 0})) << "5 percent";
  EXPECT_TRUE(predict_shared(made_up("cpu", 0, 30, 16), made_up("cuda:0", 0.35, 5), {100, 0})) << "14 percent";
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 0.15, 16), made_up("cuda:0", 0, 0.15), {100, 0})) << "less than 0.1 s";
  EXPECT_TRUE(predict_shared(made_up("cpu", 0, 0.3, 16), made_up("cuda:0", 0, 0.3), {100, 0}));
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 0.6, 16), made_up("cuda:0", 0.35, 0.3), {100, 0})) << "the start";
}

TEST(SharedPrediction, ADeviceOnTheSameCoresHasTheHalfOfThem) {
  const Prediction both = predict_together(made_up("cpu", 0, 20, 16), made_up("opencl:0", 0, 20, 16), {300, 0});
  EXPECT_EQ(both.device, "cpu + opencl:0");
  EXPECT_NEAR(both.seconds, 20, 0.3) << "each takes 40 s for all by half of the cores";
  EXPECT_TRUE(both.failure.empty());
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 20, 16), made_up("opencl:0", 0, 20, 16), {300, 0}));
}

TEST(SharedPrediction, TogetherIsToldWhereItDoesNotPayAndWhyItCannotBe) {
  Prediction slow = made_up("cuda:0", 0, 400);
  const Prediction both = predict_together(made_up("cpu", 0, 20, 16), slow, {1, 0});
  EXPECT_GT(both.seconds, 20);
  slow.failure = "it is too small";
  EXPECT_EQ(predict_together(made_up("cpu", 0, 20, 16), slow, {300, 0}).failure, "cuda:0: it is too small");
}

TEST(SharedPrediction, IsAddedToThatOfBothOnce) {
  Placement placement;
  placement.predictions = {made_up("opencl:0", 0, 20, 4), made_up("cpu", 0, 20, 4)};
  add_together(placement, {300, 0});
  EXPECT_EQ(placement.predictions.size(), 2U) << "nobody shares";
  placement.shared = {"cpu", "opencl:0"};
  for (int again = 0; again < 2; ++again) add_together(placement, {300, 0});
  ASSERT_EQ(placement.predictions.size(), 3U);
  EXPECT_EQ(placement.predictions.back().device, "cpu + opencl:0");
  placement.shared = {"cpu", "cuda:0"};
  add_together(placement, {300, 0});
  EXPECT_EQ(placement.predictions.size(), 3U) << "nothing is known of cuda:0";
}

TEST(SharedPrediction, PartsAreWhole) {
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 20, 16), made_up("cuda:0", 0, 20), {1, 0}));
  EXPECT_FALSE(predict_shared(made_up("cpu", 0, 20, 16), made_up("cuda:0", 0, 5), {2, 0})) << "10 s for a half";
  const auto both = predict_shared(made_up("cpu", 0, 20, 1000), made_up("cuda:0", 0, 20), {3, 0});
  ASSERT_TRUE(both);
  EXPECT_NEAR(both->compute_seconds, 40.0 / 3, 0.1);
}

TEST(SharedPrediction, TheRefitIsNotShared) {
  const auto both = predict_shared(made_up("cpu", 0, 20, 1000), made_up("cuda:0", 0, 10), {4, 1});
  ASSERT_TRUE(both);
  EXPECT_NEAR(both->compute_seconds, 6, 0.01) << "three parts there, one of 4 s here";
  EXPECT_NEAR(both->finish_seconds, 2, 0.01);
}

TEST(SharedPrediction, SmallerBatchesCostTheirLatency) {
  const auto seconds = [](double latency) {
    Prediction gpu = made_up("cuda:0", 0, 4);
    gpu.batch_seconds = latency;
    const auto both = predict_shared(made_up("cpu", 0, 4, 16), gpu, {100, 0});
    return both ? both->seconds : 0.0;
  };
  const double without = seconds(0);
  ASSERT_GT(without, 0);
  // Half of it, as the CPU takes what it keeps the other from: of five batches, and of one where five would be a waste.
  EXPECT_NEAR(seconds(0.1), without + 4 * 0.1 / 2, 0.06);
  EXPECT_NEAR(seconds(0.3), without + 0.3 / 4, 0.06);
}

TEST(SharedPrediction, MemoryOfBothCounts) {
  Prediction cpu = made_up("cpu", 0, 20, 16), gpu = made_up("cuda:0", 0, 20);
  cpu.host_bytes = gpu.host_bytes = std::uint64_t{1} << 40;
  const auto both = predict_shared(cpu, gpu, {100, 0});
  ASSERT_TRUE(both);
  EXPECT_GT(both->host_bytes, cpu.host_bytes);
  MemoryLimits limits;
  limits.host = std::uint64_t{3} << 39;
  EXPECT_FALSE(predict_shared(cpu, gpu, {100, 0}, limits));
  gpu.failure = "no room";
  EXPECT_FALSE(predict_shared(cpu, gpu, {100, 0}));
}

DeviceInfo gpu_of(const std::string& id, int units) {
  DeviceInfo info;
  info.id = id;
  info.kind = DeviceKind::gpu;
  info.compute_units = units;
  info.peak_gflops = 1000;
  return info;
}

/// A choice between 10 s on the cpu, `seconds` on one GPU and twice that on the other.
struct Choice {
  double seconds = 8;
  Shareable work{100, 1};
  std::string broken{};  ///< a GPU that does not open
  Candidates candidates = Candidates::likely;
  std::vector<std::string> opened{};

  Placement make() {
    const auto predict = [&](const DeviceInfo& info) {
      const bool is_cpu = info.id == "cpu";
      return std::optional(made_up(info.id, is_cpu ? 0 : 0.35,
                                   is_cpu                ? 10
                                   : info.id == "cuda:1" ? seconds
                                                         : 2 * seconds,
                                   is_cpu ? 16 : 0));
    };
    placement::Machine machine;
    machine.list = [](Candidates) { return std::vector<DeviceInfo>{gpu_of("cuda:0", 50), gpu_of("cuda:1", 100)}; };
    machine.open = [&](const std::string& id) {
      opened.push_back(id);
      if (id == broken) throw DeviceError("it does not open");
    };
    return placement::choose(predict, candidates, machine, work);
  }
};

using Ids = std::vector<std::string>;

TEST(SharedChoice, BothAreNamedAndTheFasterOneRefits) {
  Choice choice;
  const Placement placement = choice.make();
  EXPECT_EQ(placement.device, "cpu + cuda:1");
  EXPECT_EQ(placement.shared, (Ids{"cuda:1", "cpu"}));
  EXPECT_NE(placement.reason.find("on cpu, about 8.35 s on cuda:1, about "), std::string::npos) << placement.reason;
  EXPECT_NE(placement.reason.find(" on cpu + cuda:1"), std::string::npos) << placement.reason;
  ASSERT_NE(placement.chosen(), nullptr);
  EXPECT_LT(placement.chosen()->seconds, 6);
  EXPECT_EQ(choice.opened, Ids{"cuda:1"});
  Choice slow{12};
  EXPECT_EQ(slow.make().shared, (Ids{"cpu", "cuda:1"}));
  EXPECT_EQ(slow.opened, Ids{"cuda:1"}) << "a GPU that is not the faster one is opened, too, where it shares";
}

TEST(SharedChoice, OnlyWhereItIsClearlyEarlierAndTheWorkCanBeShared) {
  Choice alone{8, {}};
  EXPECT_EQ(alone.make().device, "cuda:1");
  EXPECT_TRUE(alone.make().shared.empty());
  Choice fast{0.4};
  EXPECT_EQ(fast.make().device, "cuda:1");
  Choice hopeless{200};
  EXPECT_EQ(hopeless.make().device, "cpu");
  EXPECT_TRUE(hopeless.opened.empty());
}

TEST(SharedChoice, AGpuThatDoesNotOpenSharesNothing) {
  Choice choice{12};
  choice.broken = "cuda:1";
  const Placement placement = choice.make();
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_TRUE(placement.shared.empty());
  EXPECT_NE(placement.reason.find("cuda:1 cannot run it (it does not open)"), std::string::npos) << placement.reason;
}

TEST(SharedChoice, APlanOpensNothing) {
  Choice choice;
  choice.candidates = Candidates::all;
  EXPECT_EQ(choice.make().device, "cpu + cuda:1");
  EXPECT_TRUE(choice.opened.empty());
}

}  // namespace
}  // namespace overtake
