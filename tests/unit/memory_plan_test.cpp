// SPDX-License-Identifier: MIT
// The computer's memory is planned before the work: what cannot fit is refused with need, limit and parts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/threads.hpp"
#include "data_support.hpp"
#include "forest/model/host_memory.hpp"
#include "forest_support.hpp"
#include "overtake/forest.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/search.hpp"
#include "platform/held_memory.hpp"

namespace overtake {
namespace {

using test::expect_error;
using test::TempFolder;
using ::testing::HasSubstr;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

TEST(MemoryPlan, AddsUpByPlaceAndNamesTheLargestFirst) {
  MemoryPlan plan;
  plan.add("small", mib);
  plan.add("nothing", 0);
  plan.add("large", 3 * mib);
  plan.add("there", 5 * mib, MemoryPlace::device);
  EXPECT_EQ(plan.parts.size(), 3U);
  EXPECT_EQ(plan.bytes(MemoryPlace::host), 4 * mib);
  EXPECT_EQ(plan.bytes(MemoryPlace::device), 5 * mib);
  EXPECT_EQ(to_text(plan, MemoryPlace::host), "large 3.00 MiB, small 1.00 MiB");
}

TEST(MemoryPlan, WhatDoesNotFitIsRefusedWithItsParts) {
  MemoryPlan plan;
  plan.add("rows", 64 * mib);
  EXPECT_NO_THROW(require_host_memory(plan, 0, "it", "do less."));
  EXPECT_NO_THROW(require_host_memory(plan, host_memory_held() + 100 * mib, "it", "do less."));
  expect_error<DeviceError>([&] { require_host_memory(plan, host_memory_held() + 10 * mib, "it", "do less."); },
                            {"it needs 64.0 MiB", "that the process holds", "the limit is", "rows 64.0 MiB",
                             "Raise --host-memory-limit, or do less."});
  plan.add("far too many", std::uint64_t{1} << 60);
  plan.guessed = true;
  EXPECT_NO_THROW(require_host_memory(plan, host_memory_held() + 10 * mib, "it", "do less."));
  plan.guessed = false;
  const std::string text = expect_error<DeviceError>([&] { require_host_memory(plan, 0, "it", "do less."); },
                                                     {"the computer has", "left", "far too many"});
  EXPECT_EQ(text.find("--host-memory-limit"), std::string::npos);
}

TEST(MemoryPlan, KnowsWhatTheProcessHolds) {
  const TempFolder folder;
  std::filesystem::create_directories(folder / "proc/self");
  std::ofstream(folder / "proc/self/status") << "Name:\tx\nVmHWM:\t    5128 kB\nVmRSS:\t    4096 kB\n";
  EXPECT_EQ(platform::held_memory(folder.path()), 4 * mib);
  EXPECT_EQ(platform::peak_memory(folder.path()), 5128 * 1024U);
  EXPECT_EQ(platform::held_memory(folder / "nothing"), 0U);
  const std::uint64_t before = host_memory_held();
  const std::vector<char> more(32 * mib, 1);
  EXPECT_GE(host_memory_held(), before + 30 * mib);
  // The peak is read last: reading allocates, and what is held must not grow after the peak was read.
  const std::uint64_t held = host_memory_held();
  EXPECT_GE(host_memory_peak(), held);
  EXPECT_EQ(more.back(), 1);
  EXPECT_EQ(host_memory_left(1), 0U);
  EXPECT_LE(host_memory_left(held + mib), mib + mib / 8);
}

TEST(MemoryPlan, ForestsGrowWithWhatTheyAreMadeOf) {
  forest::ForestNeed need;
  need.rows = 100'000;
  need.features = 10;
  need.max_bins = 256;
  need.classes = 2;
  need.trees = 10;
  need.growing = 1;
  const auto bytes = [&] { return host_memory_of(need).bytes(MemoryPlace::host); };
  EXPECT_EQ(forest::binned_bytes(need.rows, need.features, 256), 100'000U * 12);
  EXPECT_EQ(forest::binned_bytes(need.rows, need.features, 257), 100'000U * 24);
  const std::uint64_t least = bytes();
  need.growing = 8;
  EXPECT_GT(bytes(), least + 7 * 100'000U * 20);
  need.nodes = 10'000;
  EXPECT_THAT(to_text(host_memory_of(need), MemoryPlace::host), HasSubstr("10"));
  const std::uint64_t ten = bytes();
  need.trees = 1000;
  EXPECT_GT(bytes(), ten + 900 * forest::grown_bytes(10'000, 2));
}

/// Classes that many splits are needed for.
Dataset noisy(std::int64_t rows) {
  Dataset data;
  data.rows = rows;
  data.features = 4;
  data.classes = 2;
  std::uint32_t state = 1;
  const auto draw = [&] { return (state = state * 1664525U + 1013904223U) >> 8U; };
  for (std::int64_t i = 0; i < rows; ++i) {
    for (int f = 0; f < 4; ++f) data.inputs.push_back(static_cast<float>(draw() % 1000));
    data.labels.push_back(static_cast<std::int32_t>(draw() % 2));
  }
  return data;
}

TEST(MemoryPlan, ATrainingKeepsToTheLimitOrIsRefused) {
  const Dataset data = noisy(20'000);
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = 4;
  const auto train = [&](std::uint64_t limit, ForestReport* report = nullptr) {
    ForestOptions options;
    options.host_memory_limit = limit;
    return train_forest(parameters, data, options, {}, nullptr, report);
  };
  ForestReport report;
  const Forest expected = train(0, &report);
  EXPECT_GT(report.planned_host_bytes, host_memory_held() / 2);
  EXPECT_GE(report.host_peak_bytes, host_memory_held() / 2);
  EXPECT_EQ(train(host_memory_held() + 40 * mib), expected);  // one tree at a time, the same forest
  expect_error<DeviceError>([&] { (void)train(host_memory_held() + mib / 4); },
                            {"training on 20000 rows", "the limit is", "growing 1 at a time", "targets and rows",
                             "--host-memory-limit", "n_estimators"});
  parameters.n_estimators = 100'000;
  expect_error<DeviceError>([&] { (void)train(host_memory_held() + 40 * mib); }, {"100000 trees"});
}

TEST(MemoryPlan, ASearchSaysWhatItTakes) {
  const Dataset data = noisy(3000);
  const std::vector<Parameters> candidates = {{{"n_estimators", std::int64_t{20}}},
                                              {{"n_estimators", std::int64_t{20}}, {"max_depth", std::int64_t{3}}}};
  SearchOptions options;
  const SearchResult free = search(data, candidates, options);
  EXPECT_GT(free.plan.planned_host_bytes, 0U);
  EXPECT_GT(free.plan.host_peak_bytes, 0U);
  options.host_memory_limit = host_memory_held() + 60 * mib;
  const SearchResult limited = search(data, candidates, options);
  EXPECT_EQ(limited.rows[0].scores, free.rows[0].scores);
  EXPECT_EQ(limited.rows[1].scores, free.rows[1].scores);
  options.host_memory_limit = mib;  // less than the program itself
  expect_error<DeviceError>(
      [&] { (void)search(data, candidates, options); },
      {"a search over 3000 rows", "features in bins", "rows of the folds", "--host-memory-limit"});
}

PreparedData prepared(std::int64_t rows) {
  PreparedData data;
  data.training = noisy(rows);
  data.preprocessing.classes = {"a", "b"};
  data.preprocessing.features.resize(4);
  return data;
}

TEST(MemoryPlan, ANetworkIsRefusedBeforeItIsMade) {
  const PreparedData data = prepared(1000);
  NetworkOptions options;
  options.hidden = {512, 512};
  options.training.epochs = 1;
  const MemoryPlan plan = memory_of(options, data, Device("cpu").info());
  EXPECT_GT(plan.bytes(MemoryPlace::host), 5 * mib);
  EXPECT_EQ(plan.bytes(MemoryPlace::device), 0U);
  EXPECT_GT(memory_of(options, data, Device("null").info()).bytes(MemoryPlace::device), 5 * mib);
  options.host_memory_limit = host_memory_held() + 2 * mib;
  expect_error<DeviceError>([&] { (void)train_network(data, options); },
                            {"training the network", "weights, gradients", "layers of a batch", "--host-memory-limit"});
  options.host_memory_limit = host_memory_held() + 100 * mib;
  EXPECT_GT(train_network(data, options).fit.host_peak_bytes, 0U);
}

// Its answers for all rows, which are asked for at the end, take smaller batches where those of 4,096 do not fit.
TEST(MemoryPlan, ATrainedNetworkIsNotLostToItsFigures) {
  const PreparedData data = prepared(5000);
  NetworkOptions options;
  options.hidden = {512, 512};
  options.training.epochs = 1;
  const double expected = train_network(data, options).training->accuracy;
  options.memory_limit = 12 * mib;  // 4,096 rows of 512 numbers take 8 MiB for each layer
  EXPECT_EQ(train_network(data, options).training->accuracy, expected);
}

TEST(MemoryPlan, ALargeFileIsRefusedSoon) {
  const TempFolder folder;
  std::string text = "x,y\n";
  while (text.size() < 12 * mib) text += "0.123456789,0.123456789\n";
  TableOptions options;
  options.memory_limit = 14 * mib;  // more than what is read by then
  expect_error<DeviceError>([&] { (void)read_table(folder.file("large.csv", text), options); },
                            {"large.csv: reading it needs about", "14.0 MiB may be used", "--host-memory-limit"});
  options.memory_limit = 60 * mib;
  EXPECT_GT(read_table(folder.file("large.csv", text), options).rows, 500'000);
}

/// Answers nothing.
class OfWidths final : public Model {
 public:
  explicit OfWidths(std::vector<std::int64_t> widths) : widths_(std::move(widths)) {}
  [[nodiscard]] std::string describe() const override { return "widths"; }
  [[nodiscard]] std::vector<double> predict(std::span<const float> /*inputs*/) const override { return {}; }
  [[nodiscard]] std::vector<std::int32_t> predict_classes(std::span<const float> /*inputs*/) const override {
    return {};
  }
  [[nodiscard]] std::vector<std::int64_t> widths() const override { return widths_; }
  void save(const std::filesystem::path& /*path*/,
            const std::map<std::string, std::string>& /*metadata*/) const override {}

 private:
  std::vector<std::int64_t> widths_;
};

TEST(MemoryPlan, PartsOfAFileFollowTheLimit) {
  platform::return_free_memory();  // else the limits below grow by it
  const OfWidths forest({}), network({10, 1000, 3});
  const Device cpu("cpu");
  EXPECT_EQ(room_for_answers(forest, cpu, 0).part_bytes, PartSize{}.bytes);
  const std::uint64_t limit = host_memory_held() + 60 * mib;
  EXPECT_LT(room_for_answers(forest, cpu, limit).part_bytes, 21 * mib);
  EXPECT_EQ(room_for_answers(forest, cpu, limit).layer_bytes, 0U);
  const AnswersRoom room = room_for_answers(network, cpu, limit);
  EXPECT_LT(3 * room.part_bytes + room.layer_bytes, 51 * mib) << "beside the programs that compute";
  EXPECT_GT(room.layer_bytes, 10 * mib);
  expect_error<DeviceError>([&] { (void)room_for_answers(forest, cpu, host_memory_held()); },
                            {"predicting", "a part of the file", "--host-memory-limit"});
  expect_error<DeviceError>([&] { (void)room_for_answers(network, cpu, host_memory_held() + 8 * mib); },
                            {"predicting", "programs that compute 11.0 MiB", "a part of the file"});
}

}  // namespace
}  // namespace overtake
