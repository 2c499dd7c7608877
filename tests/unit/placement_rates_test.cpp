// SPDX-License-Identifier: MIT
// Seconds from counts and rates, measurements that are kept, devices elsewhere.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "backend/common/cache_files.hpp"
#include "core/fingerprint.hpp"
#include "data_support.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/placement.hpp"
#include "placement/calibration.hpp"
#include "placement/cost.hpp"
#include "placement/kept_rates.hpp"

namespace overtake {
namespace {

using placement::KeptRates;

constexpr const char* subject = "cuda:0 (a card)";

NetworkWork work_of(std::vector<std::int64_t> hidden, int epochs = 10) {
  NetworkOptions options;
  options.hidden = std::move(hidden);
  options.training.epochs = epochs;
  return network_work(network_shape(options, 20, 3, 10000, 2000));
}

TEST(NetworkWorkCounts, ByHand) {
  // 4 -> 8 -> 3: 40 + 27 weights; 10 rows in batches of 4: 3 steps; 2 rows are judged.
  const NetworkWork work = network_work({{4, 8, 3}, 10, 2, 4, 5, 2});
  EXPECT_EQ(work.steps, 15);
  EXPECT_EQ(work.epochs, 5);
  EXPECT_EQ(work.judged, 5);
  EXPECT_EQ(work.layers, 30);
  EXPECT_EQ(work.flops, 5 * 67 * (6 * 10 + 2 * 2));
  EXPECT_EQ(work.weights, 15 * 67);
  EXPECT_EQ(work.values, 5 * 11 * 12);
  EXPECT_EQ(work.row_values, 5 * 10 * 4);
  EXPECT_EQ(work.wide_layers, 0);
  EXPECT_EQ(network_work({{4, 64, 32, 3}, 12, 0, 4, 5, 2}).wide_layers, 2);
  EXPECT_EQ(network_work({{4, 64, 32, 3}, 10, 0, 4, 5, 2}).wide_layers, 4) << "the last batch has two rows";
}

TEST(PlacementCosts, GrowWithTheWorkAndAreTheSumOfTheirParts) {
  const DeviceInfo h100 = known_device("h100");
  const auto seconds = [&](const NetworkWork& work) {
    return placement::network_cost(work, h100, placement::usual_rates(h100), 0);
  };
  const Prediction little = seconds(work_of({16})), much = seconds(work_of({2048, 2048}));
  EXPECT_LT(little.compute_seconds, much.compute_seconds);
  EXPECT_DOUBLE_EQ(much.seconds, much.start_seconds + much.prepare_seconds + much.transfer_seconds +
                                     much.compute_seconds + much.finish_seconds);
  EXPECT_GT(much.device_bytes, 2048ULL * 2048 * 4 * 5);
}

TEST(PlacementCosts, TheCpuTrainsSmallNetworksWithOneThread) {
  const DeviceInfo cpu = known_device("cpu-16");
  const placement::DeviceRates rates = placement::usual_rates(cpu);
  EXPECT_EQ(rates.threads, 16);
  EXPECT_EQ(placement::network_cost(work_of({8}), cpu, rates, 0).threads, 1);
  EXPECT_EQ(placement::network_cost(work_of({2048, 2048}), cpu, rates, 0).threads, 16);
  EXPECT_EQ(placement::network_cost(work_of({8}), cpu, rates, 4).threads, 4) << "as asked for";
}

TEST(PlacementCosts, ASlowerDeviceTakesLonger) {
  const DeviceInfo h100 = known_device("h100");
  ForestWork work;
  work.looks = 1e8;
  work.bin_looks = 1e10;
  work.chain_looks = 1e4;
  const auto seconds = [&](const placement::Slowness& slowness) {
    return placement::forest_cost(work, h100, placement::with(placement::usual_rates(h100), slowness)).compute_seconds;
  };
  EXPECT_NEAR(seconds({.forest_wide = 2, .forest_chain = 2}), 2 * seconds({}), 1e-9);
  EXPECT_GT(seconds({.forest_wide = 2}), seconds({}));
  EXPECT_GT(seconds({.forest_chain = 2}), seconds({}));
  EXPECT_EQ(seconds({.network_step = 2, .network_product = 2}), seconds({}));
}

/// What growing takes, of a row of a table of measurements.
template <typename Measured>
ForestWork counts_of(const Measured& of) {
  ForestWork work;
  work.looks = of.looks;
  work.small_looks = of.small_looks;
  work.bin_looks = of.bin_looks;
  work.visits = of.visits;
  work.small_visits = of.small_visits;
  work.moves = of.moves;
  return work;
}

/// 20,000 rows of 20 numbers (the last two: 5,000 of 40, for numbers) on two quiet EPYC cores of 0.6 times the Xeon's
/// slowness, the shortest of three runs on 28 November 2026.
TEST(PlacementCosts, OfShallowForestsAndDeepOnesAreThoseThatWereMeasured) {
  struct Measured {
    double looks, small_looks, bin_looks, visits, small_visits, moves, seconds;
  };
  constexpr Measured all[] = {{400, 0, 204800, 5056964, 0, 1264241, 0.0249},
                              {2821, 21, 1444141, 15170893, 0, 3792723, 0.0398},
                              {24983, 5783, 12791048, 30338479, 182948, 7584620, 0.0989},
                              {183704, 128104, 94056473, 49853059, 4518894, 12463265, 0.2852},
                              {394000, 348400, 201727952, 37997001, 8870715, 9499250, 0.4512},
                              {27970, 0, 21480782, 37927234, 0, 948181, 0.0869},
                              {6319210, 6155210, 4853153478, 115666742, 52931570, 2891669, 1.1727}};
  const DeviceInfo cpu = known_device("cpu-2");
  const placement::DeviceRates rates = placement::with(placement::usual_rates(cpu), {.host = 0.6});
  for (const Measured& of : all) {
    ForestWork work = counts_of(of);
    work.cells = of.moves > 1e6 ? 4e5 : 2e5;
    const double predicted = placement::forest_cost(work, cpu, rates).compute_seconds;
    EXPECT_GT(predicted, of.seconds / 2) << of.looks << " looks";
    EXPECT_LT(predicted, of.seconds * 2) << of.looks << " looks";
  }
}

/// Three tables (5,000 x 10, 20,000 x 20, 1,500 x 30) and depths by PoCL 3.1 on two EPYC cores of 0.44 times the Xeon's
/// slowness, others at work there: half of the processor time, less that of a single small tree.
TEST(PlacementCosts, OfForestsByOpenClOnTheCpuAreThoseThatWereMeasured) {
  struct Measured {
    bool numbers;
    double looks, small_looks, bin_looks, visits, small_visits, moves, scored, seconds;
  };
  constexpr Measured all[] = {{true, 6322370, 6163370, 4855580055, 110168031, 52526065, 11016803, 5999643, 4.94},
                              {false, 1047334, 980734, 804352400, 43649859, 18851876, 14549953, 8263070, 1.60},
                              {true, 746089, 602089, 572996018, 62501320, 7272914, 6250132, 3619881, 1.23},
                              {false, 464246, 397646, 356541023, 35371048, 10573065, 11790349, 6885336, 0.78},
                              {true, 38706, 0, 29726568, 25296920, 0, 2529692, 1762450, 0.28},
                              {false, 23255, 0, 17860130, 15176707, 0, 5058902, 3524659, 0.14},
                              {true, 15170201, 14884001, 11650714015, 277521298, 127817892, 13876065, 7536932, 11.65},
                              {false, 1913820, 1793580, 1469813454, 96639909, 33766888, 24159977, 13278057, 2.97},
                              {true, 916623, 689823, 703966095, 151340874, 12495512, 7567044, 4382894, 2.02},
                              {false, 303152, 217472, 232820442, 60001427, 3955286, 15000357, 8698933, 0.69},
                              {true, 23923, 0, 18373059, 60686608, 0, 3034330, 2116878, 0.51},
                              {false, 10034, 0, 7706423, 24274643, 0, 6068661, 4233755, 0.16},
                              {true, 5688513, 5625513, 4368777633, 79390650, 60974688, 2646355, 1464654, 3.93},
                              {false, 591036, 564036, 453915632, 19665256, 10333785, 3933051, 2253550, 0.70}};
  DeviceInfo device = known_device("cpu-2");
  device.kind = DeviceKind::opencl_on_cpu;
  placement::DeviceRates rates = placement::with(placement::usual_rates(device), {.host = 0.44});
  rates.threads = 2;
  for (const Measured& of : all) {
    ForestWork work = counts_of(of);
    work.numbers = of.numbers;
    work.scored = of.scored;
    const Prediction predicted = placement::forest_cost(work, device, rates);
    const double seconds = predicted.compute_seconds + predicted.finish_seconds;
    EXPECT_GT(seconds, of.seconds / 2) << of.looks << " looks";
    EXPECT_LT(seconds, of.seconds * 2) << of.looks << " looks";
  }
}

TEST(PlacementCosts, KeepToLimitsOfMemoryOrSayWhatIsTooMuch) {
  const DeviceInfo h100 = known_device("h100");
  ForestWork work;
  work.data_bytes = 3e9;
  work.tree_bytes = 20e9;
  work.host_bytes = 1e9;
  work.host_bytes_beside = 1e9;
  const auto cost = [&](const DeviceInfo& device, const MemoryLimits& limits) {
    return placement::forest_cost(work, device, placement::usual_rates(device), limits);
  };
  EXPECT_GT(cost(h100, {}).device_bytes, 20'000'000'000U);
  EXPECT_TRUE(cost(h100, {}).failure.empty());
  const Prediction cut = cost(h100, {.planned = 5'000'000'000U});
  EXPECT_EQ(cut.device_bytes, 5'000'000'000U) << "trees grow in parts";
  EXPECT_TRUE(cut.failure.empty());
  EXPECT_NE(cost(h100, {.planned = 2'000'000'000U}).failure.find("the table in bins needs"), std::string::npos);
  EXPECT_NE(cost(h100, {.host = 500'000'000U}).failure.find("of the computer's memory"), std::string::npos);
  DeviceInfo small = h100;
  small.memory_bytes = 2'000'000'000U;
  EXPECT_NE(cost(small, {}).failure.find("it has"), std::string::npos);
  const DeviceInfo cpu = known_device("cpu-16");
  work.grown_bytes = 20e9;
  EXPECT_GT(cost(cpu, {}).host_bytes, 5'000'000'000U);
  EXPECT_LT(cost(cpu, {.host = 5'000'000'000U}).host_bytes, 5'600'000'000U) << "fewer trees wait to be scored";
  DeviceInfo opencl = cpu;
  opencl.kind = DeviceKind::opencl_on_cpu;
  EXPECT_GT(cost(opencl, {}).host_bytes, 6'000'000'000U) << "the data twice, and trees";
  EXPECT_LT(cost(opencl, {.host = 8'000'000'000U}).host_bytes, 8'000'000'000U) << "fewer trees grow at a time";
}

TEST(PlacementCosts, OfNetworksOnAGpuPrepareProductsBeforeTheFirstStep) {
  struct Measured {
    std::vector<std::int64_t> widths;
    std::int64_t rows, batch;
    int epochs;
    double compute;
  };
  // On an H200 whose cache of kernels was full (bench/results/2026-11-28-h200-placement.json).
  const Measured all[] = {{{50, 2048, 2048, 3}, 5000, 100, 5, 0.034},
                          {{20, 256, 256, 2}, 20000, 256, 10, 0.028},
                          {{200, 1024, 1024, 1024, 2}, 20000, 512, 5, 0.063}};
  const DeviceInfo h200 = known_device("h200");
  const placement::DeviceRates rates = placement::usual_rates(h200);
  for (const Measured& of : all) {
    const NetworkWork work = network_work({of.widths, of.rows, 0, of.batch, of.epochs, 0});
    const Prediction predicted = placement::network_cost(work, h200, rates, 0);
    EXPECT_GT(predicted.compute_seconds, of.compute / 2) << of.widths[1];
    EXPECT_LT(predicted.compute_seconds, of.compute * 2) << of.widths[1];
    EXPECT_GE(predicted.start_seconds, rates.start_seconds + 0.04) << "products of wide layers are prepared";
  }
}

TEST(PlacementCosts, AnsweringIsLessThanAStepOfTraining) {
  const NetworkWork training = network_work({{100, 512, 10}, 8192, 0, 4096, 1, 0});
  const NetworkWork answers = answering_work({100, 512, 10}, 8192);
  EXPECT_DOUBLE_EQ(answers.flops, training.flops / 3);
  EXPECT_DOUBLE_EQ(answers.steps, 2.0 / 3);
  EXPECT_EQ(answers.weights, 0);
  EXPECT_LT(answers.device_bytes, training.device_bytes);
  EXPECT_EQ(answering_work({4, 3}, 0).flops, 0);
}

TEST(KeptRates, AreThoseOfADeviceWhetherItIsListedOrOpen) {
  DeviceInfo listed;
  listed.id = "cuda:0";
  listed.name = "a card";
  listed.driver = "driver 1.2, CUDA 13.0";
  DeviceInfo open = listed;
  open.driver += ", NVRTC 13.0 (libnvrtc.so.13)";
  EXPECT_EQ(placement::subject_of(open), placement::subject_of(listed));
  open.driver = listed.driver + ", interpreted kernels (no NVRTC)";
  EXPECT_EQ(placement::subject_of(open), placement::subject_of(listed));
  open.driver = "driver 1.3, CUDA 13.0";
  EXPECT_NE(placement::subject_of(open), placement::subject_of(listed));
}

TEST(Calibration, IsReadAsItWasWritten) {
  const KeptRates rates{{1.5, 0.1 + 0.2, 3e-2, 49.9, 1.0 / 3}, 0.625, 2};
  const std::string text = placement::to_text(rates, subject);
  const auto back = placement::parse_rates(text, subject);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(placement::to_text(*back, subject), text);
  EXPECT_EQ(back->slowness.forest_chain, 0.1 + 0.2);
  EXPECT_EQ(back->cores, 0.625);
  EXPECT_EQ(back->looks, 2);
  for (const KeptRates& wrong : {KeptRates{.cores = -1}, KeptRates{.looks = 0}, KeptRates{.looks = 4}}) {
    EXPECT_FALSE(placement::parse_rates(placement::to_text(wrong, subject), subject).has_value());
  }
}

TEST(Calibration, OfAnotherMachineOrDamagedIsNone) {
  const std::string text = placement::to_text({}, subject);
  EXPECT_FALSE(placement::parse_rates(text, "cuda:0 (another card)").has_value());
  EXPECT_FALSE(placement::parse_rates("", subject).has_value());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(placement::parse_rates(damaged, subject).has_value()) << at;
    EXPECT_FALSE(placement::parse_rates(text.substr(0, at), subject).has_value()) << at;
  }
}

TEST(Calibration, IsSettledOnFreeCoresOrAfterThreeLooks) {
  EXPECT_TRUE(placement::is_settled({.cores = 0.95}));
  EXPECT_FALSE(placement::is_settled({.cores = 0.8}));
  EXPECT_FALSE(placement::is_settled({.cores = 0.8, .looks = 2}));
  EXPECT_TRUE(placement::is_settled({.cores = 0.5, .looks = 3}));
}

TEST(Calibration, KeepsTheFastestOfItsLooks) {
  const KeptRates busy{{4, 4, 4, 4, 4}, 0.5, 1};
  const KeptRates free = placement::after_another(busy, {{2, 2, 2, 2, 5}, 0.95, 1});
  EXPECT_TRUE(placement::is_settled(free));
  EXPECT_EQ(free.looks, 2);
  EXPECT_EQ(free.slowness.forest_wide, 2);
  EXPECT_EQ(free.slowness.host, 4) << "the fastest of each";

  const KeptRates better = placement::after_another(busy, {{4, 4, 4, 4, 3}, 0.6, 1});
  EXPECT_FALSE(placement::is_settled(better)) << "busy still, but a third look may help";
  EXPECT_EQ(better.cores, 0.6);
  EXPECT_TRUE(placement::is_settled(placement::after_another(better, {{4, 4, 4, 4, 1}, 0.5, 1}))) << "the third";

  const KeptRates same = placement::after_another(busy, {{3.9, 4, 5, 3.8, 4}, 0.5, 1});
  EXPECT_TRUE(placement::is_settled(same)) << "the second look is no better";
  EXPECT_EQ(same.slowness.network_product, 3.8);
}

TEST(Calibration, IsInDoubtAfterARunThatWasMuchFaster) {
  EXPECT_TRUE(placement::is_much_faster(1.0, 0.45));
  EXPECT_FALSE(placement::is_much_faster(1.0, 0.55));
  EXPECT_FALSE(placement::is_much_faster(0.19, 0.01)) << "a difference that nobody notices";
  EXPECT_FALSE(placement::is_much_faster(1.0, 3.0));
}

/// Rates of the CPU, kept in a folder of its own, with a number of threads that no other test has.
class KeptRatesInUse : public ::testing::Test {
 protected:
  KeptRatesInUse() {
    ::setenv("OVERTAKE_CACHE_DIR", folder_.path().c_str(), 1);
    set_cpu_threads(next_threads++);
    subject_ = placement::subject_of(Device().info());
  }
  ~KeptRatesInUse() override {
    set_cpu_threads(0);
    ::unsetenv("OVERTAKE_CACHE_DIR");
  }
  void keep(const KeptRates& rates) const {
    const std::string text = placement::to_text(rates, subject_);
    ASSERT_TRUE(backend::write_cache_file(folder_.path(), digest(), backend::rates_ending, text));
  }
  [[nodiscard]] KeptRates kept() const {
    const auto path = folder_.path() / (digest() + std::string(backend::rates_ending));
    return placement::parse_rates(backend::read_cache_file(path, 4096).value_or(""), subject_).value();
  }

 private:
  [[nodiscard]] std::string digest() const {
    detail::Fingerprint of;
    of.add(subject_);
    return of.hex();
  }
  static inline int next_threads = 13;
  test::TempFolder folder_;
  std::string subject_;
};

TEST_F(KeptRatesInUse, AreMarkedByARunThatWasMuchFaster) {
  keep({{1, 1, 7, 7, 7}, 1, 1});
  const Prediction of = predict_network(work_of({64, 64}, 5000), Device().info());
  ASSERT_GT(of.compute_seconds, 0.5);
  EXPECT_FALSE(doubt_rates(of, of.compute_seconds * 0.6));
  EXPECT_EQ(kept().cores, 1);
  Prediction elsewhere = of;
  elsewhere.device = "cuda:0";
  EXPECT_FALSE(doubt_rates(elsewhere, of.compute_seconds / 5));
  EXPECT_TRUE(doubt_rates(of, of.compute_seconds / 5));
  EXPECT_FALSE(placement::is_settled(kept())) << "the next process measures";
  EXPECT_EQ(kept().slowness.network_step, 7) << "this one goes on with them";
  EXPECT_FALSE(doubt_rates(of, of.compute_seconds / 5)) << "marked already";
}

TEST_F(KeptRatesInUse, StayAfterTheLastLook) {
  keep({{1, 1, 7, 7, 7}, 0.5, placement::most_looks});
  const Prediction of = predict_network(work_of({64, 64}, 5000), Device().info());
  ASSERT_GT(of.compute_seconds, 0.5);
  EXPECT_FALSE(doubt_rates(of, 0.01));
  EXPECT_EQ(kept().cores, 0.5);
}

TEST_F(KeptRatesInUse, AreMeasuredAgainAfterABusyMachine) {
  keep({{50, 50, 50, 50, 50}, 0.5, 1});
  (void)predict_network(work_of({64, 64}), Device().info());
  EXPECT_EQ(kept().looks, 2);
  EXPECT_LT(kept().slowness.host, 50);
}

TEST(KnownDevices, AreFoundByName) {
  for (const std::string& name : known_device_names()) {
    const DeviceInfo info = known_device(name);
    EXPECT_EQ(info.id, name);
    EXPECT_EQ(info.kind, DeviceKind::gpu);
    EXPECT_GT(info.peak_gflops, 1000);
    EXPECT_GT(info.peak_gbs, 100);
    EXPECT_GE(info.memory_bytes, std::uint64_t{6} << 30);
  }
  EXPECT_EQ(known_device("cpu-64").compute_units, 64);
  for (const char* name : {"cpu-0", "cpu-", "cpu-4x", "cpu-9999", "h1000", ""}) {
    EXPECT_THROW((void)known_device(name), UsageError) << name;
  }
}

}  // namespace
}  // namespace overtake
