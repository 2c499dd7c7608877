// SPDX-License-Identifier: MIT
// Small data, an estimator without models, and scikit-learn's answers for the tests of the search.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "overtake/forest.hpp"
#include "overtake/search.hpp"
#include "search/estimator.hpp"
#include "search/runner.hpp"

namespace overtake::test {

/// tests/golden/sklearn_search.json, written by make_sklearn_search.py.
template <typename Json>
[[nodiscard]] const Json& sklearn_answers() {
  static const Json content = [] {
    std::ifstream file(OVERTAKE_TEST_DATA "/golden/sklearn_search.json");
    return Json::parse(file);
  }();
  return content;
}

/// null is NaN.
template <typename Json>
[[nodiscard]] double number_of(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.template get<double>();
}

/// Classes without inputs that matter: one feature, the row's number.
[[nodiscard]] inline Dataset labelled(std::vector<std::int32_t> labels, std::int32_t classes) {
  Dataset data;
  data.rows = static_cast<std::int64_t>(labels.size());
  data.features = 1;
  data.classes = classes;
  for (std::size_t i = 0; i < labels.size(); ++i) data.inputs.push_back(static_cast<float>(i));
  data.labels = std::move(labels);
  return data;
}

[[nodiscard]] inline Dataset numbered(std::vector<double> targets) {
  Dataset data;
  data.task = Task::regression;
  data.rows = static_cast<std::int64_t>(targets.size());
  data.features = 1;
  for (std::size_t i = 0; i < targets.size(); ++i) data.inputs.push_back(static_cast<float>(i));
  data.targets = std::move(targets);
  return data;
}

/// An estimator whose accuracy is known beforehand: of the test rows of a job, the first `hits(candidate, fold)` are
/// right. Batches hold `batch_jobs` jobs.
class FakeEstimator final : public search_detail::Estimator {
 public:
  FakeEstimator(const Dataset& data, const std::vector<Fold>& folds, std::size_t candidates)
      : data_(data), folds_(folds), candidates_(candidates) {}

  std::size_t batch_jobs = 4;
  std::map<std::int32_t, std::string> refused;  ///< what check() says of a candidate
  std::map<std::int32_t, std::string> failing;  ///< what every outcome of a candidate says
  std::vector<search_detail::Job> ran;          ///< in order
  std::vector<std::int32_t> refitted;
  std::size_t refit_device = search_detail::main_device;
  std::array<std::chrono::milliseconds, 2> slow{};  ///< what each device takes for a batch beside
  StopToken* stop_after = nullptr;                  ///< requested at the end of batch `stop_batch`
  int stop_batch = 0;
  StopToken* stop_within = nullptr;  ///< requested in batch `stop_batch`, before its last job
  StopToken* stop_in_refit = nullptr;
  int throw_in_batch = -1;
  int throw_on_device = -1;
  bool devices_meet = false;  ///< neither device ends a batch before the other has begun one
  bool refit_throws = false;

  [[nodiscard]] std::vector<std::string> check() override {
    std::vector<std::string> problems(candidates_);
    for (const auto& [candidate, why] : refused) problems[static_cast<std::size_t>(candidate)] = why;
    return problems;
  }

  [[nodiscard]] std::vector<search_detail::Batch> plan(std::span<const search_detail::Job> jobs) override {
    std::vector<search_detail::Batch> batches;
    for (std::size_t begin = 0; begin < jobs.size(); begin += batch_jobs) {
      const std::span<const search_detail::Job> part = jobs.subspan(begin, std::min(batch_jobs, jobs.size() - begin));
      batches.push_back({{part.begin(), part.end()}, 1, 1000, static_cast<double>(part.size())});
    }
    return batches;
  }

  [[nodiscard]] static std::size_t hits(search_detail::Job job, std::size_t rows) {
    return static_cast<std::size_t>(7 * job.candidate + 3 * job.fold + 1) % (rows + 1);
  }

  [[nodiscard]] std::optional<std::vector<FoldOutcome>> run(const search_detail::Batch& batch, bool,
                                                            const StopToken* stop, std::size_t device) override {
    came_[device] = true;
    came_[device].notify_all();
    if (devices_meet) came_[1 - device].wait(false);
    std::this_thread::sleep_for(slow[device]);
    const std::lock_guard lock(mutex_);  // two devices may run at once
    if (static_cast<int>(device) == throw_on_device) throw DeviceError("the helper is gone", "Name one device.");
    if (batches_ == throw_in_batch) throw DeviceError("the device is gone", "Buy another.");
    std::vector<FoldOutcome> outcomes;
    for (const search_detail::Job job : batch.jobs) {
      if (stop_within != nullptr && batches_ == stop_batch && job == batch.jobs.back()) stop_within->request();
      if (stop != nullptr && stop->requested()) return std::nullopt;
      ran.push_back(job);
      FoldOutcome outcome;
      const auto why = failing.find(job.candidate);
      if (why != failing.end()) outcome.failure = why->second;
      const std::vector<std::int32_t>& test = folds_[static_cast<std::size_t>(job.fold)].test;
      const auto k = static_cast<std::size_t>(data_.classes);
      outcome.confusion.assign(k * k, 0);
      for (std::size_t i = 0; i < test.size(); ++i) {
        const auto truth = static_cast<std::size_t>(data_.labels[static_cast<std::size_t>(test[i])]);
        const std::size_t guess = i < hits(job, test.size()) ? truth : (truth + 1) % k;
        ++outcome.confusion[truth * k + guess];
      }
      outcomes.push_back(outcome);
    }
    stats_.launches += 5;
    stats_.timing.compute += 0.25;
    if (stop_after != nullptr && batches_ == stop_batch) stop_after->request();
    ++batches_;
    return outcomes;
  }

  [[nodiscard]] std::shared_ptr<const Model> refit(std::int32_t candidate, const StopToken* stop,
                                                   std::size_t device) override {
    refit_device = device;
    if (stop_in_refit != nullptr) stop_in_refit->request();
    if (stop != nullptr && stop->requested()) return nullptr;
    if (refit_throws) throw DeviceError("no memory left", "Use a smaller forest.");
    refitted.push_back(candidate);
    Forest forest;
    forest.features = candidate;
    return std::make_shared<ForestModel>(forest);
  }

  [[nodiscard]] search_detail::EstimatorStats stats(std::size_t device) const override {
    const std::lock_guard lock(mutex_);
    return device == search_detail::main_device ? stats_ : search_detail::EstimatorStats();
  }

 private:
  const Dataset& data_;
  const std::vector<Fold>& folds_;
  std::size_t candidates_;
  std::array<std::atomic<bool>, 2> came_{};  ///< the devices, by number
  mutable std::mutex mutex_;
  search_detail::EstimatorStats stats_;
  int batches_ = 0;
};

/// `count` candidates of one parameter.
[[nodiscard]] inline std::vector<Parameters> depths(int count) {
  std::vector<Parameters> candidates;
  for (std::int64_t depth = 1; depth <= count; ++depth) candidates.push_back({{"max_depth", depth}});
  return candidates;
}

/// Keeps what is reported to it: the jobs, and how many there were at a time.
class KeptLog final : public search_detail::JobLog {
 public:
  std::vector<search_detail::JobRecord> records;
  std::vector<std::size_t> sizes;
  void append(std::span<const search_detail::JobRecord> more) override {
    records.insert(records.end(), more.begin(), more.end());
    sizes.push_back(more.size());
  }
};

inline void expect_same_table(const SearchResult& a, const SearchResult& b) {
  ASSERT_EQ(a.rows.size(), b.rows.size());
  EXPECT_EQ(a.best_index, b.best_index);
  EXPECT_EQ(a.metrics, b.metrics);
  EXPECT_EQ(a.refit_metric, b.refit_metric);
  EXPECT_EQ(a.parameter_names, b.parameter_names);
  for (std::size_t c = 0; c < a.rows.size(); ++c) {
    EXPECT_EQ(a.rows[c].parameters, b.rows[c].parameters);
    EXPECT_EQ(a.rows[c].scores, b.rows[c].scores);
    EXPECT_EQ(a.rows[c].mean, b.rows[c].mean);
    EXPECT_EQ(a.rows[c].rank, b.rows[c].rank);
    EXPECT_EQ(a.rows[c].failure, b.rows[c].failure);
    EXPECT_EQ(a.rows[c].done, b.rows[c].done);
  }
}

}  // namespace overtake::test
