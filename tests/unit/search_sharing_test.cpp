// SPDX-License-Identifier: MIT
// Two devices run one search: who takes what, and that nothing of the result says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <thread>
#include <vector>

#include "overtake/error.hpp"
#include "overtake/search.hpp"
#include "search/batch_queue.hpp"
#include "search/runner.hpp"
#include "search_support.hpp"

namespace overtake::test {
namespace {

using search_detail::Batch;
using search_detail::BatchQueue;
using search_detail::Job;
using search_detail::JobRecord;
using search_detail::Latencies;
using search_detail::Paces;

std::vector<Batch> batches_of(const std::vector<double>& works) {
  std::vector<Batch> batches;
  for (const double work : works) {
    batches.emplace_back();
    batches.back().jobs = {{static_cast<std::int32_t>(batches.size()) - 1, 0}};
    batches.back().models = 1;
    batches.back().work = work;
  }
  return batches;
}

/// What became of batches on two devices that are as fast as `paces` say.
struct Course {
  double end = 0;                          ///< when both are done
  std::array<std::vector<Batch>, 2> took;  ///< by device
  std::map<std::int32_t, int> runs;        ///< of each job

  Course(const std::vector<Batch>& batches, Paces predicted, Paces paces, Latencies latencies = {}) {
    constexpr double never = std::numeric_limits<double>::infinity();
    BatchQueue queue(batches, predicted, latencies);
    std::array<double, 2> ends = {never, never};
    for (double now = 0; now < 1e6; now += 0.01) {
      for (const std::size_t device : {0U, 1U}) {
        if (ends[device] <= now) {
          queue.done(device, ends[device]);
          end = std::max(end, ends[device]);
          ends[device] = never;
        }
        if (ends[device] != never) continue;
        if (auto batch = queue.take(device, now)) {
          ends[device] = now + latencies[device] + batch->work / paces[device];
          for (const Job& job : batch->jobs) ++runs[job.candidate];
          took[device].push_back(*batch);
        }
      }
      if (queue.empty() && ends[0] == never && ends[1] == never) return;
    }
  }
};

std::vector<double> mixed_works() {
  std::vector<double> works;
  for (int i = 0; i < 200; ++i) works.push_back(1 + i * 37 % 50);
  return works;
}

TEST(BatchQueue, EveryBatchRunsOnceAndBothEndTogetherWhateverWasPredicted) {
  const std::vector<double> works = mixed_works();
  double sum = 0;
  for (const double work : works) sum += work;
  for (const Paces& paces : {Paces{100, 100}, Paces{100, 20}, Paces{30, 300}, Paces{100, 5}}) {
    for (const Paces& off : {Paces{1, 1}, Paces{10, 10}, Paces{0.1, 0.1}, Paces{10, 1}, Paces{1, 10}, Paces{0.2, 5}}) {
      SCOPED_TRACE(testing::Message() << paces[0] << " " << paces[1] << " off by " << off[0] << " " << off[1]);
      const Course course(batches_of(works), {paces[0] * off[0], paces[1] * off[1]}, paces);
      ASSERT_EQ(course.runs.size(), works.size());
      for (const auto& [job, runs] : course.runs) EXPECT_EQ(runs, 1) << job;
      const double best = sum / (paces[0] + paces[1]);
      const bool is_right = off == Paces{1, 1};
      // A wrong prediction costs a batch of a quarter of a second that takes up to ten times as long, or the largest.
      const double wrong = std::max(2.5, 50 / std::min(paces[0], paces[1]));
      EXPECT_LT(course.end, is_right ? 1.1 * best + 0.6 : 1.2 * best + wrong);
    }
  }
}

// Half a second a batch, as deep trees take on a GPU: all of its share at once, not half of what is left each time.
TEST(BatchQueue, ADeviceWithLatencyTakesFewBatches) {
  const std::vector<double> works = mixed_works();
  double sum = 0;
  for (const double work : works) sum += work;
  const double latency = 0.5;
  for (const Paces& paces : {Paces{3000, 600}, Paces{600, 3000}, Paces{2000, 2000}}) {
    for (const double off : {1.0, 2.0, 0.5}) {
      for (const std::size_t slow_to_start : {0U, 1U}) {
        SCOPED_TRACE(testing::Message() << paces[0] << " " << paces[1] << " off by " << off << ", " << slow_to_start);
        Latencies latencies{};
        latencies[slow_to_start] = latency;
        Paces predicted = paces;
        predicted[slow_to_start] *= off;
        const Course course(batches_of(works), predicted, paces, latencies);
        ASSERT_EQ(course.runs.size(), works.size());
        const std::size_t other = 1 - slow_to_start;
        const double alone = std::min(latency + sum / paces[slow_to_start], sum / paces[other]);
        const double best = std::min(alone, (sum + latency * paces[slow_to_start]) / (paces[0] + paces[1]));
        EXPECT_LE(course.took[slow_to_start].size(), 3U);
        EXPECT_LT(course.end, off == 1.0 ? 1.1 * best + 0.1 : 1.3 * alone);
      }
    }
  }
}

TEST(BatchQueue, TheFasterDeviceTakesTheLargeOnes) {
  const Course course(batches_of(mixed_works()), {100, 20}, {100, 20});
  const auto mean = [](const std::vector<Batch>& took) {
    double work = 0, jobs = 0;
    for (const Batch& batch : took) {
      work += batch.work;
      jobs += static_cast<double>(batch.jobs.size());
    }
    return work / jobs;
  };
  EXPECT_GT(mean(course.took[0]), 2 * mean(course.took[1]));
  EXPECT_GT(course.took[0].size(), 3U) << "in parts";
  for (const Batch& batch : course.took[0]) EXPECT_LE(batch.work, 200) << "two seconds";
}

TEST(BatchQueue, NothingIsTakenThatTheOtherWouldHaveDoneEarlier) {
  BatchQueue queue(batches_of({10, 10, 10}), {10, 1});
  EXPECT_FALSE(queue.take(1, 0)) << "ten seconds here, three there";
  const auto first = queue.take(0, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->jobs.size(), 1U);
  EXPECT_FALSE(queue.take(1, 0.5));
  EXPECT_TRUE(queue.take(1, 30)) << "the other is overdue: it is as slow as this one, or slower";
}

TEST(BatchQueue, BatchesOfTwoKindsAreNotJoined) {
  std::vector<Batch> batches = batches_of({1, 1, 1, 1, 1, 1, 1, 1});
  for (std::size_t i = 0; i < batches.size(); ++i) batches[i].kind = i % 2;
  const Course course(batches, {1000, 1}, {1000, 1});
  EXPECT_EQ(course.runs.size(), 8U);
  for (const auto& took : course.took) {
    for (const Batch& batch : took) {
      for (const Job& job : batch.jobs) EXPECT_EQ(job.candidate % 2, batch.jobs.front().candidate % 2);
    }
  }
  EXPECT_GT(course.took[0].front().jobs.size(), 1U);
}

/// Two devices; what they compute is the estimator's, so any two will do.
struct Pair {
  Dataset data = labelled({0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 2);
  std::vector<Parameters> candidates = depths(20);
  SearchOptions options = [] {
    SearchOptions o;
    o.folds.n_splits = 3;
    return o;
  }();
  std::vector<Fold> folds = make_folds(data, options.folds);

  SearchResult run(FakeEstimator& estimator, bool shared, std::span<const JobRecord> earlier = {},
                   search_detail::JobLog* log = nullptr) {
    options.helper.reset();
    if (shared) options.helper.emplace("null");
    SearchResult result = search_detail::checked_result(data, candidates, options);
    search_detail::run_search(result, {data, candidates, folds, options}, estimator, earlier, log);
    return result;
  }
  [[nodiscard]] FakeEstimator estimator() const { return {data, folds, candidates.size()}; }
};

class HereWatcher final : public SearchObserver {
 public:
  std::thread::id thread;
  std::int64_t done = 0;
  bool throws = false;
  void on_progress(const SearchProgress& progress) override {
    thread = std::this_thread::get_id();
    EXPECT_GT(progress.done, done);
    done = progress.done;
    EXPECT_EQ(progress.device, "cpu + null");
    if (throws) throw DataError("the disk is full");
  }
};

TEST(SharedSearch, TableIsThatOfOneDevice) {
  Pair pair;
  FakeEstimator alone = pair.estimator();
  const SearchResult expected = pair.run(alone, false);
  ASSERT_EQ(expected.devices.size(), 1U);
  EXPECT_EQ(expected.devices[0].device, "cpu");
  EXPECT_EQ(expected.devices[0].jobs, 60);
  FakeEstimator both = pair.estimator();
  both.devices_meet = true;
  KeptLog log;
  HereWatcher watcher;
  pair.options.observer = &watcher;
  const SearchResult result = pair.run(both, true, {}, &log);
  expect_same_table(result, expected);
  EXPECT_EQ(result.device, "cpu + null");
  ASSERT_EQ(result.devices.size(), 2U);
  EXPECT_EQ(result.devices[0].device, "cpu");
  EXPECT_EQ(result.devices[1].device, "null");
  EXPECT_EQ(result.devices[0].jobs + result.devices[1].jobs, 60);
  EXPECT_GT(result.devices[0].jobs, 0);
  EXPECT_GT(result.devices[1].jobs, 0);
  EXPECT_EQ(log.records.size(), 60U);
  EXPECT_EQ(both.ran.size(), 60U) << "none twice";
  EXPECT_EQ(watcher.done, 60);
  EXPECT_EQ(watcher.thread, std::this_thread::get_id());
  EXPECT_EQ(both.refitted, alone.refitted);
  EXPECT_GT(result.plan.batches, 1);
}

TEST(SharedSearch, TheFasterDeviceTrainsTheBest) {
  for (const std::size_t slow : {search_detail::main_device, search_detail::helper_device}) {
    Pair pair;
    FakeEstimator estimator = pair.estimator();
    estimator.devices_meet = true;
    estimator.slow[slow] = std::chrono::milliseconds(20);
    const SearchResult result = pair.run(estimator, true);
    EXPECT_EQ(estimator.refit_device, 1 - slow);
    EXPECT_EQ(estimator.refitted, std::vector<std::int32_t>{result.best_index});
  }
}

TEST(SharedSearch, StoppedAndContinued) {
  Pair pair;
  FakeEstimator alone = pair.estimator();
  const SearchResult expected = pair.run(alone, false);
  StopToken stop;
  pair.options.stop = &stop;
  pair.options.refit_stopped = false;
  FakeEstimator stopped = pair.estimator();
  stopped.batch_jobs = 1;
  stopped.stop_after = &stop;
  KeptLog log;
  const SearchResult part = pair.run(stopped, true, {}, &log);
  EXPECT_TRUE(part.interrupted);
  EXPECT_FALSE(part.best);
  EXPECT_LT(log.records.size(), 60U);
  EXPECT_EQ(part.devices[0].jobs + part.devices[1].jobs, static_cast<std::int64_t>(log.records.size()));
  pair.options.stop = nullptr;
  FakeEstimator rest = pair.estimator();
  const SearchResult resumed = pair.run(rest, true, log.records);
  EXPECT_EQ(rest.ran.size(), 60U - log.records.size());
  expect_same_table(resumed, expected);
}

TEST(SharedSearch, AnErrorOfOneDeviceEndsItAndWhatTheOtherHasDoneIsKept) {
  Pair pair;
  FakeEstimator alone = pair.estimator();
  const SearchResult expected = pair.run(alone, false);
  FakeEstimator failing = pair.estimator();
  failing.throw_on_device = 1;
  failing.devices_meet = true;
  KeptLog log;
  EXPECT_THROW((void)pair.run(failing, true, {}, &log), DeviceError);
  EXPECT_EQ(log.records.size(), failing.ran.size()) << "all that was computed is recorded";
  EXPECT_TRUE(failing.refitted.empty());
  FakeEstimator rest = pair.estimator();
  expect_same_table(pair.run(rest, true, log.records), expected);
  EXPECT_EQ(rest.ran.size() + log.records.size(), 60U);
}

TEST(SharedSearch, WhatAnObserverThrowsEndsBothDevices) {
  Pair pair;
  HereWatcher watcher;
  watcher.throws = true;
  pair.options.observer = &watcher;
  FakeEstimator estimator = pair.estimator();
  EXPECT_THROW((void)pair.run(estimator, true), DataError);
}

TEST(SharedSearch, OneOfTheDevicesIsTheCpu) {
  Pair pair;
  pair.options.helper = Device("cpu");
  EXPECT_THROW((void)search_detail::checked_result(pair.data, pair.candidates, pair.options), UsageError);
  EXPECT_THROW((void)share_between("cpu"), UsageError);
  EXPECT_THROW((void)share_between("cpu,cpu"), UsageError);
  EXPECT_THROW((void)share_between("cpu,null,cpu"), UsageError);
  const Placement placement = share_between("null,cpu");
  EXPECT_EQ(placement.device, "cpu + null");
  run_on(placement, pair.options);
  EXPECT_EQ(pair.options.device.id(), "null");
  EXPECT_EQ(pair.options.helper->id(), "cpu");
  EXPECT_EQ(pair.options.device_reason, "as asked for");
}

}  // namespace
}  // namespace overtake::test
