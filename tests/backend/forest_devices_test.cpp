// SPDX-License-Identifier: MIT
// Every device gives the file that the CPU gives, whatever memory it may use, and the same table of a search.
#include <gtest/gtest.h>

#include <array>

#include "oracle/devices.hpp"
#include "overtake/forest.hpp"
#include "unit/forest_ugly_data.hpp"

namespace overtake::test {
namespace {

ForestOptions on(const Device& device, std::uint64_t memory_limit = 0) {
  ForestOptions options;
  options.device = device;
  options.memory_limit = memory_limit;
  return options;
}

class ForestDevices : public oracle::OnEveryDevice {
 protected:
  /// Less than `peak` bytes. What the cpu reports are the trees as they came out; it plans with the largest they can
  /// be.
  [[nodiscard]] static std::uint64_t little_memory(std::uint64_t peak) {
    return GetParam().backend == "cpu" ? std::uint64_t{1} << 19 : peak / 4;
  }
};

TEST_P(ForestDevices, SameFileAsTheCpu) {
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    const std::string expected = file_of(fit.train(on(Device("cpu"))));
    ForestReport report;
    const Forest forest = train_forest(fit.parameters, fit.data, on(device()), fit.sample_weight, nullptr, &report);
    EXPECT_EQ(report.device, device().id());
    EXPECT_EQ(file_of(forest), expected);
    // About three trees at a time.
    const ForestOptions options = on(device(), little_memory(report.peak_bytes));
    ForestReport limited;
    EXPECT_EQ(file_of(train_forest(fit.parameters, fit.data, options, fit.sample_weight, nullptr, &limited)), expected);
    if (GetParam().backend != "cpu") {
      EXPECT_GT(limited.batches, report.batches);
      EXPECT_LE(limited.peak_bytes, options.memory_limit);
    }
  }
}

TEST_P(ForestDevices, TreesMayBeAddedLaterElsewhere) {
  Fit fit = many_fits()[0];
  fit.parameters.warm_start = true;
  const std::string expected = file_of(fit.train(on(Device("cpu"))));
  fit.parameters.n_estimators = 5;
  const Forest first = fit.train(on(Device("cpu")));
  fit.parameters.n_estimators = 12;
  EXPECT_EQ(file_of(fit.train(on(device()), &first)), expected);
}

void expect_same_table(const SearchResult& result, const SearchResult& expected) {
  ASSERT_EQ(result.rows.size(), expected.rows.size());
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    EXPECT_EQ(result.rows[i].failure, expected.rows[i].failure);
    EXPECT_EQ(result.rows[i].rank, expected.rows[i].rank);
    if (expected.rows[i].failure.empty()) {
      EXPECT_EQ(result.rows[i].scores, expected.rows[i].scores) << "candidate " << i;
    }
  }
  EXPECT_EQ(result.best_index, expected.best_index);
  EXPECT_EQ(result.plan.models, expected.plan.models);
  EXPECT_EQ(file_of(forest_of(result.best.get())), file_of(forest_of(expected.best.get())));
}

TEST_P(ForestDevices, SameTableOfASearch) {
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    std::vector<Parameters> candidates = made_grid({"n_estimators=3,8", "max_depth=2,none", "min_samples_split=2,9"});
    candidates.push_back({{"n_estimators", std::int64_t{4}}, {"ccp_alpha", 0.002}});
    candidates.push_back({{"n_estimators", std::int64_t{4}}, {"max_leaf_nodes", std::int64_t{7}}});
    candidates.push_back({{"n_estimators", std::int64_t{4}}, {"max_features", std::int64_t{1}}});
    candidates.push_back({{"max_features", std::int64_t{1000}}});  // fails
    SearchOptions options;
    options.estimator = name_of(fit.parameters.kind);
    options.sample_weight = fit.sample_weight;
    options.folds.n_splits = 3;
    options.metrics = fit.data.classes > 0
                          ? std::vector<Metric>{Metric::accuracy, Metric::neg_log_loss, Metric::f1_macro}
                          : std::vector<Metric>{Metric::r2, Metric::neg_mean_absolute_error};
    options.device = Device("cpu");
    const SearchResult expected = search(fit.data, candidates, options);
    options.device = device();
    const SearchResult result = search(fit.data, candidates, options);
    expect_same_table(result, expected);
    options.memory_limit = little_memory(result.plan.peak_bytes);
    const SearchResult limited = search(fit.data, candidates, options);
    expect_same_table(limited, expected);
    if (GetParam().backend != "cpu") {
      EXPECT_LE(limited.plan.peak_bytes, options.memory_limit);
    }
  }
}

TEST_P(ForestDevices, SameTableOfASearchThatTheCpuShares) {
  if (GetParam().id == "cpu") GTEST_SKIP() << "the CPU shares with others";
  for (const Fit& fit : many_fits()) {
    SCOPED_TRACE(fit.name);
    std::vector<Parameters> candidates = made_grid({"n_estimators=3,8", "max_features=1,2", "max_bins=8,256"});
    candidates.push_back({{"n_estimators", std::int64_t{4}}, {"max_leaf_nodes", std::int64_t{7}}});
    candidates.push_back({{"max_features", std::int64_t{1000}}});  // fails
    SearchOptions options;
    options.estimator = name_of(fit.parameters.kind);
    options.sample_weight = fit.sample_weight;
    options.folds.n_splits = 3;
    options.train_scores = options.keep_predictions = true;
    options.metrics = {default_metric(fit.data.task)};
    const SearchResult expected = search(fit.data, candidates, options);
    // However wrong the predicted times are, and whichever of the two refits.
    for (const auto& seconds : {std::array<double, 2>{}, {1, 1}, {1e5, 1e3}, {1e3, 1e5}}) {
      for (const bool cpu_helps : {false, true}) {
        options.device = cpu_helps ? device() : Device("cpu");
        options.helper = cpu_helps ? Device("cpu") : device();
        options.alone_seconds = seconds;
        const SearchResult shared = search(fit.data, candidates, options);
        expect_same_table(shared, expected);
        EXPECT_EQ(shared.device, "cpu + " + device().id());
        EXPECT_EQ(shared.devices.at(0).jobs + shared.devices.at(1).jobs, 9 * 3);
        for (std::size_t i = 0; i < shared.rows.size(); ++i) {
          EXPECT_EQ(shared.rows[i].predictions, expected.rows[i].predictions);
          EXPECT_EQ(shared.rows[i].train_scores, expected.rows[i].train_scores);
        }
      }
    }
    options.memory_limit = std::uint64_t{1} << 20;
    expect_same_table(search(fit.data, candidates, options), expected);
  }
}

TEST_P(ForestDevices, EveryParameterMeansTheSame) {
  // That each of these changes the forest is tested in unit/forest_every_parameter_test.cpp.
  for (const OtherValues& other : other_values()) {
    for (const ParameterValue& value : other.values) {
      SCOPED_TRACE(other.name + "=" + to_text(value));
      Fit fit = plain_fit(other.task);
      fit.parameters.set(other.name, value);
      EXPECT_EQ(file_of(fit.train(on(device()))), file_of(fit.train(on(Device("cpu")))));
    }
  }
}

TEST_P(ForestDevices, UglyDataIsNoExcuse) {
  for (const UglySet& set : ugly_sets()) {
    SCOPED_TRACE(set.name);
    Fit fit{set.name, set.data, ForestParameters::defaults(ForestKind::random_forest, set.data.task), {}};
    fit.parameters.n_estimators = 2;
    EXPECT_EQ(file_of(fit.train(on(device()))), file_of(fit.train(on(Device("cpu")))));
    if (set.data.rows < 30) continue;
    fit.sample_weight = std::vector<float>(static_cast<std::size_t>(set.data.rows), 0.0F);
    fit.sample_weight[3] = 0.7F;  // most trees draw no row that weighs anything
    fit.parameters.max_samples = CountOrFraction(5);
    EXPECT_EQ(file_of(fit.train(on(device()))), file_of(fit.train(on(Device("cpu")))));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ForestDevices, ::testing::ValuesIn(list_devices()), oracle::device_name);

}  // namespace
}  // namespace overtake::test
