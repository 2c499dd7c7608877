// SPDX-License-Identifier: MIT
// Copies that nobody waits for, beside work, on every device: whatever the order, the values are right. And what
// profiles say of each device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <vector>

#include "oracle/devices.hpp"
#include "overtake/ops.hpp"
#include "overtake/profile.hpp"
#include "overtake/stream.hpp"

namespace overtake::oracle {
namespace {

class Streams : public OnEveryDevice {};
class Profiles : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, Streams, ::testing::ValuesIn(list_devices()), device_name);
INSTANTIATE_TEST_SUITE_P(Devices, Profiles, ::testing::ValuesIn(list_devices()), device_name);

/// What a number becomes in a chain of `steps` steps: exact in float32.
float chained(float value, int steps) {
  for (int i = 0; i < steps; ++i) value = value * 0.5F + 3.0F;
  return value;
}

Array chained(Array array, int steps) {
  for (int i = 0; i < steps; ++i) array = array * 0.5F + 3.0F;
  return array;
}

/// An upload of its own, and what is expected of it.
struct Pending {
  PinnedBuffer result;
  Event done;
  float value = 0;
  int steps = 0;
  std::size_t elements = 0;
};

void expect_done(const Pending& pending) {
  pending.done.synchronize();
  EXPECT_TRUE(pending.done.is_done());
  const float expected = chained(pending.value, pending.steps);
  const auto values = pending.result.as<float>().first(pending.elements);
  EXPECT_TRUE(std::all_of(values.begin(), values.end(), [&](float value) { return value == expected; }))
      << values.front() << " for " << expected;
}

/// Random sizes, lengths and lives of arrays: memory goes from one to another while copies are under way.
void run_random_program(const Device& device, std::uint32_t seed, int rounds) {
  std::mt19937 random(seed);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  constexpr std::size_t most = 1U << 16;
  const Stream uploads(device, StreamKind::upload);
  std::vector<PinnedBuffer> sources;
  std::vector<Event> free_from(3);
  for (int i = 0; i < 3; ++i) sources.emplace_back(most * sizeof(float), device);
  std::deque<Pending> pending;
  std::vector<Array> kept;
  for (int round = 0; round < rounds; ++round) {
    const auto slot = static_cast<std::size_t>(draw(0, 2));
    const std::size_t elements = draw(0, 1) == 0 ? most : static_cast<std::size_t>(draw(1, 5000));
    Pending next{
        PinnedBuffer(elements * sizeof(float), device), {}, static_cast<float>(round % 97), draw(0, 6), elements};
    free_from[slot].synchronize();
    std::fill_n(sources[slot].as<float>().begin(), elements, next.value);
    const Array x = upload_async(sources[slot], DType::float32, {static_cast<std::int64_t>(elements)});
    free_from[slot] = uploads.record();
    if (draw(0, 9) == 0) continue;  // uploaded and never used: its memory goes back while the copy is under way
    next.done = download_async(chained(x, next.steps), next.result);
    if (draw(0, 2) == 0) kept.push_back(x);
    if (kept.size() > 3) kept.erase(kept.begin());
    pending.push_back(std::move(next));
    if (draw(0, 3) == 0) {  // ordinary memory in between
      const std::vector<float> values(elements, 1.0F);
      EXPECT_EQ(Array::from(values, {static_cast<std::int64_t>(elements)}, device).to_vector<float>(), values);
    }
    while (pending.size() > static_cast<std::size_t>(draw(0, 4))) {
      expect_done(pending.front());
      pending.pop_front();
    }
  }
  for (const Pending& each : pending) expect_done(each);
}

TEST_P(Streams, RandomProgramsOfCopiesAndWorkAreRight) {
  for (std::uint32_t seed = 0; seed < 4; ++seed) run_random_program(device(), seed, 60);
}

TEST_P(Streams, ThreadsShareTheQueues) {
  std::vector<std::jthread> threads;
  for (std::uint32_t seed = 10; seed < 13; ++seed) {
    threads.emplace_back([seed] { run_random_program(device(), seed, 25); });
  }
}

TEST_P(Streams, EventsAreInOrderAndHaveTimes) {
  const Stream work(device());
  const Event before = work.record();
  const Array a = full({300, 300}, 0.5F, device());
  matmul(a, a).eval();
  const Event after = work.record();
  EXPECT_GE(after.seconds_since(before), 0);
  EXPECT_TRUE(before.is_done());
  EXPECT_TRUE(after.is_done());
  work.wait(after);
  Stream(device(), StreamKind::upload).wait(after);
  Stream(device(), StreamKind::download).wait(Event());
  work.synchronize();
  EXPECT_TRUE(Event().is_done());
  EXPECT_THROW((void)after.seconds_since(Event()), UsageError);
}

TEST_P(Streams, AnArrayThatIsUploadedIsUsedByEverything) {
  const PinnedBuffer memory(16 * sizeof(float), device());
  std::fill(memory.as<float>().begin(), memory.as<float>().end(), 2.0F);
  EXPECT_EQ(upload_async(memory, DType::float32, {16}).to_vector<float>(), std::vector<float>(16, 2.0F));
  Stream(device(), StreamKind::upload).synchronize();
  memory.as<float>()[4] = 5;
  EXPECT_EQ(upload_async(memory, DType::float32, {2}, 4 * sizeof(float)).to_vector<float>(),
            (std::vector<float>{5, 2}));
  EXPECT_EQ(Array::from(memory.as<float>(), {16}, device()).to_vector<float>()[4], 5) << "a copy that is waited for";
  Array leaf = upload_async(memory, DType::float32, {16});
  leaf.requires_grad();
  sum(leaf * leaf).backward();
  EXPECT_EQ(leaf.grad().to_vector<float>()[4], 10);
  EXPECT_EQ(upload_async(memory, DType::float32, {0}).size(), 0);
}

TEST_P(Streams, WhatDoesNotFitIsRefused) {
  const PinnedBuffer memory(16, device());
  EXPECT_THROW((void)upload_async(memory, DType::float32, {5}), UsageError);
  EXPECT_THROW((void)upload_async(memory, DType::float32, {1}, 13), UsageError);
  EXPECT_THROW((void)upload_async(memory, DType::float32, {1}, 17), UsageError);
  EXPECT_THROW((void)download_async(ones({5}, device()), memory), UsageError);
  if (device().id() == "cpu") return;
  EXPECT_THROW((void)download_async(ones({1}, Device("cpu")), memory), UsageError);
}

TEST_P(Profiles, EachLaunchHasATimeAndTheTraceSaysTheSame) {
  const Array x = Array::from(std::vector<float>(1000, 1.0F), {1000}, device());
  const Array y = sum(sqrt(x) * 2.0F);
  Profile profile;
  EXPECT_EQ(y.item(), 2000);
  EXPECT_EQ(topk(x, 3).values.to_vector<float>(), std::vector<float>(3, 1.0F));
  profile.stop();
  const std::vector<ProfileEntry> entries = profile.entries();
  const auto trace = nlohmann::json::parse(profile.trace_json());
  std::vector<nlohmann::json> spans;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") spans.push_back(event);
  }
  ASSERT_EQ(spans.size(), entries.size());
  double sum_of_times = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].device, device().id());
    EXPECT_GT(entries[i].seconds, 0) << entries[i].name;
    EXPECT_NEAR(spans[i].at("dur").get<double>(), entries[i].seconds * 1e6, 1e-6);
    EXPECT_NEAR(spans[i].at("ts").get<double>(), entries[i].start * 1e6, 1e-3);
    EXPECT_EQ(spans[i].at("args").at("bytes_read"), entries[i].bytes_read);
    EXPECT_GE(entries[i].start, i == 0 ? 0.0 : entries[i - 1].start) << "one after the other";
    sum_of_times += entries[i].seconds;
  }
  EXPECT_LE(sum_of_times, profile.seconds());
  const auto downloads = std::count_if(entries.begin(), entries.end(), [](const ProfileEntry& entry) {
    return entry.kind == ProfileEntry::Kind::download;
  });
  EXPECT_EQ(downloads, 2);
  EXPECT_THAT(profile.to_string(), ::testing::HasSubstr("measured peak"));
}

}  // namespace
}  // namespace overtake::oracle
