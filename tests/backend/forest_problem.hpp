// SPDX-License-Identifier: MIT
// Random problems for forests, made straight from bins.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest::testing {

struct ProblemShape {
  std::int32_t rows = 200, features = 5, classes = 3;  ///< classes 0: regression
  std::int32_t bins = 12;
  double missing = 0;  ///< share of missing cells, in every second feature
  bool weighted = false;
  bool balanced = false;   ///< balance each tree
  bool positive = false;   ///< numbers above 0, not shifted
  std::int32_t folds = 1;  ///< fold f scores the rows r % folds == f (one fold: every row both ways)
  bool wide = false;
  double sentinel = 0;  ///< stands for the number in two rows where it is not 0
  std::uint32_t seed = 1;
};

inline Problem make_problem(const ProblemShape& shape) {
  std::mt19937 random(shape.seed);
  const auto draw = [&](std::uint32_t below) { return static_cast<std::int32_t>(random() % below); };
  Problem problem;
  BinEdges& edges = problem.data.edges;
  edges.features = shape.features;
  edges.first.push_back(0);
  for (std::int32_t f = 0; f < shape.features; ++f) {
    // Features differ in width; feature 3 is constant.
    const std::int32_t bins = f == 3 ? 1 : std::max(2, shape.bins - 2 * f);
    edges.first.push_back(edges.first.back() + bins);
    edges.has_missing.push_back(shape.missing > 0 && f % 2 == 0 ? 1 : 0);
    float value = static_cast<float>(draw(100)) - 50;
    for (std::int32_t b = 0; b < bins; ++b) {
      edges.lower.push_back(value);
      value += f == 1 ? static_cast<float>(draw(100)) / 16 : 0;  // feature 1 has wide bins
      edges.upper.push_back(value);
      value += 0.25F + static_cast<float>(draw(1000)) / 64;
    }
  }
  problem.data.rows = shape.rows;
  problem.data.stride = (shape.features + 3) / 4 * 4;
  problem.data.wide = shape.wide;
  const auto cells = static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(problem.data.stride);
  std::vector<std::uint16_t> words(cells, 0);
  problem.targets.classes = shape.classes;
  Weights weights;
  weights.balance_each_tree = shape.balanced;
  if (shape.weighted || shape.balanced) weights.scale = 4096;
  for (std::int32_t row = 0; row < shape.rows; ++row) {
    std::int32_t sum = 0;
    for (std::int32_t f = 0; f < shape.features; ++f) {
      const std::int32_t bins = edges.bins(f);
      std::int32_t bin = draw(static_cast<std::uint32_t>(bins));
      sum += f < 2 ? bin : 0;
      if (edges.has_missing[f] != 0 && draw(1000) < static_cast<std::int32_t>(shape.missing * 1000)) bin = bins;
      words[static_cast<std::size_t>(row) * static_cast<std::size_t>(problem.data.stride) +
            static_cast<std::size_t>(f)] = static_cast<std::uint16_t>(bin);
    }
    if (shape.classes > 0) {
      const bool noise = random() % 4 == 0;
      problem.targets.labels.push_back((noise ? draw(1000) : sum / 3) % shape.classes);
    } else {
      const double y = (shape.positive ? 0.5 : -10) + sum + draw(1000) / 250.0;
      const bool stands_out = shape.sentinel != 0 && (row == shape.rows / 3 || row == shape.rows / 2);
      problem.targets.values.push_back(stands_out ? shape.sentinel : y);
    }
    if (shape.weighted) weights.row.push_back(random() % 10 == 0 ? 0.0 : 0.25 + draw(100) / 64.0);
  }
  if (shape.wide) {
    problem.data.words = words;
  } else {
    problem.data.bytes.assign(words.begin(), words.end());
  }
  problem.weights.push_back(weights);
  for (std::int32_t fold = 0; fold < shape.folds; ++fold) {
    Fold sets;
    for (std::int32_t row = 0; row < shape.rows; ++row) {
      if (shape.folds == 1 || row % shape.folds == fold) sets.test.push_back(row);
      if (shape.folds == 1 || row % shape.folds != fold) sets.train.push_back(row);
    }
    problem.folds.push_back(std::move(sets));
  }
  return problem;
}

/// A job with usual settings on fold 0.
inline ForestJob make_job(const Problem& problem, std::int32_t fold = 0) {
  ForestJob job;
  job.fold = fold;
  job.rule.criterion = problem.targets.classes > 0 ? Criterion::gini : Criterion::squared_error;
  job.rule.max_features = std::max(1, problem.data.edges.features / 2);
  job.trees = 3;
  job.max_depth = INT32_MAX;
  job.draws = static_cast<std::int64_t>(problem.folds[fold].train.size());
  job.seed = 7;
  return job;
}

}  // namespace overtake::forest::testing
