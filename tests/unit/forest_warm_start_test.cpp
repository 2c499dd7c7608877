// SPDX-License-Identifier: MIT
// A warm start continues with the data that the forest was grown from, and refuses others by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "data_support.hpp"
#include "forest/model/data_identity.hpp"
#include "forest_data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::int32_t> shuffled_rows(std::int64_t rows) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin(), order.begin() + 5, order.end());
  return order;
}

struct Change {
  const char* says;
  std::function<void(Fit&, ForestOptions&)> make;
};

/// What may not change between a forest and its continuation.
const std::vector<Change>& changes() {
  static const std::vector<Change> list = {
      {"another order",
       [](Fit& fit, ForestOptions&) {
         const auto order = shuffled_rows(fit.data.rows);
         fit.data = select(fit.data, order);
         const std::vector<float> before = fit.sample_weight;
         for (std::size_t i = 0; i < before.size(); ++i) fit.sample_weight[i] = before[order[i]];
       }},
      {"149 rows, not 150",
       [](Fit& fit, ForestOptions&) {
         std::vector<std::int32_t> rows(149);
         std::iota(rows.begin(), rows.end(), 1);
         fit.data = select(fit.data, rows);
         if (!fit.sample_weight.empty()) fit.sample_weight.pop_back();
       }},
      {"other values of the features", [](Fit& fit, ForestOptions&) { fit.data.inputs[77] = 0.123F; }},
      {"other targets",
       [](Fit& fit, ForestOptions&) {
         if (fit.data.task == Task::classification) fit.data.labels[3] = (fit.data.labels[3] + 1) % 3;
         // Less than float32 tells apart.
         if (fit.data.task == Task::regression) fit.data.targets[3] = std::nextafter(fit.data.targets[3], 1e9);
       }},
      {"other sample weights",
       [](Fit& fit, ForestOptions&) {
         if (fit.sample_weight.empty()) fit.sample_weight.assign(150, 1);
         fit.sample_weight[8] += 1;
       }},
      {"5 features, not 6",
       [](Fit& fit, ForestOptions&) {
         fit.data.features = 5;
         fit.data.inputs.resize(5 * 150);
       }},
      {"the features have other names",
       [](Fit&, ForestOptions& options) { options.feature_names = {"a", "b", "c", "d", "e", "g"}; }},
      {"the classes have other names",
       [](Fit&, ForestOptions& options) {
         options.class_names = {"x", "z", "y"};
       }},
  };
  return list;
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not the data"));
    return error.what();
  }
  return {};
}

TEST(ForestWarmStart, RefusesOtherDataAndSaysWhatDiffers) {
  for (const bool weighted : {false, true}) {
    for (const std::int32_t classes : {3, 0}) {
      Fit fit{"warm", made_data({.classes = classes, .missing = 0.1}), {}, {}};
      fit.parameters = ForestParameters::defaults(ForestKind::random_forest, fit.data.task);
      fit.parameters.n_estimators = 3;
      fit.parameters.warm_start = true;
      if (weighted) fit.sample_weight = made_weights(fit.data.rows);
      ForestOptions options;
      options.feature_names = {"a", "b", "c", "d", "e", "f"};
      if (classes > 0) options.class_names = {"x", "y", "z"};
      const Forest three = fit.train(options);
      fit.parameters.n_estimators = 5;
      EXPECT_EQ(fit.train(options, &three).trees.size(), 5U);
      for (const Change& change : changes()) {
        if (classes == 0 && std::string(change.says).find("classes") != std::string::npos) continue;
        Fit other = fit;
        ForestOptions other_options = options;
        change.make(other, other_options);
        EXPECT_THAT(refusal([&] { (void)other.train(other_options, &three); }), HasSubstr(change.says));
        other.parameters.warm_start = false;
        EXPECT_NO_THROW((void)other.train(other_options, &three)) << "without warm_start any data will do";
      }
    }
  }
}

TEST(ForestWarmStart, TheClassifierRefusesToo) {
  Fit fit{"warm", made_data({}), {}, {}};
  fit.parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  fit.parameters.n_estimators = 2;
  fit.parameters.warm_start = true;
  ForestClassifier classifier(fit.parameters);
  classifier.fit(fit.data);
  classifier.parameters.n_estimators = 4;
  EXPECT_NO_THROW(classifier.fit(fit.data));
  classifier.parameters.n_estimators = 6;
  const Dataset other = select(fit.data, shuffled_rows(fit.data.rows));
  EXPECT_THAT(refusal([&] { classifier.fit(other); }), HasSubstr("another order"));
  EXPECT_EQ(classifier.forest().trees.size(), 4U) << "the forest that was there stays";
}

TEST(ForestWarmStart, AFileWithoutAFingerprintIsContinuedWithANote) {
  const TempFolder folder;
  Fit fit{"old", made_data({}), {}, {}};
  fit.parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  fit.parameters.n_estimators = 2;
  fit.parameters.warm_start = true;
  Forest old = fit.train();
  old.data_fingerprint.clear();
  save_forest(folder / "old", old);
  const Forest loaded = load_forest(folder / "old").forest;
  EXPECT_THAT(loaded.data_fingerprint, IsEmpty());
  fit.parameters.n_estimators = 3;
  ForestReport report;
  const Forest grown = train_forest(fit.parameters, fit.data, {}, {}, &loaded, &report);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_THAT(report.notes[0], HasSubstr("did not record its data"));
  save_forest(folder / "new", grown);
  EXPECT_EQ(load_forest(folder / "new").forest.data_fingerprint, grown.data_fingerprint);
  fit.data.inputs[0] += 1;
  fit.parameters.n_estimators = 4;
  EXPECT_THROW((void)fit.train({}, &grown), DataError) << "from then on the data are known";
}

TEST(DataIdentity, WhatTrainsAlikeIsEqual) {
  Dataset data = made_data({.missing = 0.2});
  data.inputs[1] = 0.0F;
  const std::string name = forest::data_fingerprint(data, {});
  Dataset same = data;
  same.inputs[1] = -0.0F;
  for (float& value : same.inputs) value = std::isnan(value) ? -std::numeric_limits<float>::quiet_NaN() : value;
  const std::vector<float> ones(static_cast<std::size_t>(data.rows), 1);
  EXPECT_EQ(forest::data_fingerprint(same, ones), name);
  EXPECT_THAT(forest::data_difference(name, name), IsEmpty());
  ForestParameters parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
  parameters.n_estimators = 5;
  EXPECT_EQ(train_forest(parameters, same, {}, ones), train_forest(parameters, data));
}

TEST(DataIdentity, EveryCellCounts) {
  const Dataset data = made_data({.rows = 20, .classes = 0});
  const std::string name = forest::data_fingerprint(data, {});
  for (std::size_t i = 0; i < data.inputs.size(); ++i) {
    Dataset other = data;
    other.inputs[i] = std::nextafter(other.inputs[i], 2.0F);
    EXPECT_NE(forest::data_fingerprint(other, {}), name) << i;
  }
  Dataset swapped = data;  // the same cells in other columns
  std::swap(swapped.inputs[0], swapped.inputs[1]);
  EXPECT_NE(forest::data_fingerprint(swapped, {}), name);
}

}  // namespace
}  // namespace overtake::test
