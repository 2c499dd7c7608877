// SPDX-License-Identifier: MIT
// Little work goes to the CPU without a prediction; more is predicted.
#include "overtake/forest/place.hpp"

#include <gtest/gtest.h>

namespace overtake {
namespace {

/// Numbers without a pattern, so that trees grow deep.
Dataset noise(std::int64_t rows, std::int64_t features) {
  Dataset data;
  data.rows = rows;
  data.features = features;
  data.classes = 2;
  std::uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525U + 1013904223U) >> 8; };
  for (std::int64_t i = 0; i < rows * features; ++i) data.inputs.push_back(static_cast<float>(next()));
  for (std::int64_t i = 0; i < rows; ++i) data.labels.push_back(static_cast<std::int32_t>(next() % 2));
  return data;
}

ForestParameters trees(int count) {
  auto parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  parameters.n_estimators = count;
  return parameters;
}

TEST(PlaceForest, LittleWorkIsTheCpusWithoutAPrediction) {
  const Placement placement = place_forest(trees(100), noise(150, 4));
  EXPECT_EQ(placement.device, "cpu");
  EXPECT_TRUE(placement.predictions.empty());
  EXPECT_FALSE(placement.reason.empty());
}

TEST(PlaceForest, MoreWorkIsPredicted) {
  EXPECT_FALSE(place_forest(trees(1000), noise(1500, 4)).predictions.empty()) << "more trees of more rows";
  EXPECT_FALSE(place_forest(trees(20), noise(20000, 30)).predictions.empty()) << "more rows and features";
}

TEST(PlaceForest, WhatTheDataRefuseIsToldByWhoeverTrains) {
  ForestParameters parameters = trees(10);
  parameters.max_features = 1000;
  EXPECT_EQ(place_forest(parameters, noise(20, 2)).device, "cpu");
  EXPECT_EQ(place_forest(trees(10), Dataset()).device, "cpu");
}

}  // namespace
}  // namespace overtake
