// SPDX-License-Identifier: MIT
// Made-up data for forests, and what tests compare of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "overtake/forest.hpp"
#include "overtake/search.hpp"

namespace overtake::test {

struct MadeData {
  std::int64_t rows = 150, features = 6;
  std::int32_t classes = 3;  ///< 0: numbers
  double missing = 0;        ///< share of missing cells
  std::int32_t levels = 0;   ///< of each feature; 0: almost every value is another
  std::uint32_t seed = 1;
};

/// Features of which the first three say something; a tenth of the classes is wrong. Numbers are positive and of very
/// different sizes, so that rounding shows where two fixed points differ.
[[nodiscard]] inline Dataset made_data(const MadeData& wanted) {
  std::mt19937 random(wanted.seed);
  const auto uniform = [&] { return static_cast<float>(random() % 1000003) / 1000003.0F; };
  Dataset data;
  data.rows = wanted.rows;
  data.features = wanted.features;
  data.classes = wanted.classes;
  data.task = wanted.classes > 0 ? Task::classification : Task::regression;
  for (std::int64_t row = 0; row < wanted.rows; ++row) {
    float signal = 0;
    for (std::int64_t f = 0; f < wanted.features; ++f) {
      float cell = uniform();
      if (wanted.levels > 0) cell = std::floor(cell * static_cast<float>(wanted.levels));
      const float share = wanted.levels > 0 ? cell / static_cast<float>(wanted.levels) : cell;
      if (f < 3) signal += (f == 1 ? 1 - share : share) / 3;
      const bool hole = static_cast<double>(uniform()) < wanted.missing;
      data.inputs.push_back(hole ? std::numeric_limits<float>::quiet_NaN() : cell);
    }
    if (wanted.classes > 0) {
      const auto label = static_cast<std::int32_t>(signal * static_cast<float>(wanted.classes));
      const bool wrong = random() % 10 == 0;
      data.labels.push_back((label + (wrong ? 1 : 0)) % wanted.classes);
    } else {
      data.targets.push_back(std::exp(12 * signal) * (1 + uniform()));
    }
  }
  return data;
}

/// Weights of rows: some 0, none whole.
[[nodiscard]] inline std::vector<float> made_weights(std::int64_t rows) {
  std::vector<float> weights;
  for (std::int64_t row = 0; row < rows; ++row) {
    weights.push_back(row % 9 == 0 ? 0.0F : 0.3F + static_cast<float>(row % 7) / 3.0F);
  }
  return weights;
}

/// Every combination of axes such as "max_depth=2,3".
[[nodiscard]] inline std::vector<Parameters> made_grid(const std::vector<std::string>& axes) {
  std::vector<GridAxis> parsed;
  for (const std::string& axis : axes) parsed.push_back(parse_grid_axis(axis));
  return grid_candidates(parsed);
}

/// The forest's file, byte for byte.
[[nodiscard]] inline std::string file_of(const Forest& forest) {
  const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string flat = name;
  for (char& c : flat) c = c == '/' ? '_' : c;
  const auto path = std::filesystem::temp_directory_path() /
                    ("overtake_" + flat + std::to_string(std::random_device()()) + ".overtake");
  save_forest(path, forest);
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  file.close();
  std::filesystem::remove(path);
  EXPECT_GT(bytes.size(), 100U);
  return bytes;
}

/// The depth of each node.
[[nodiscard]] inline std::vector<int> depths_of(const Tree& tree) {
  std::vector<int> depths(static_cast<std::size_t>(tree.nodes()), 0);
  for (std::int32_t node = 0; node < tree.nodes(); ++node) {
    if (tree.feature[node] < 0) continue;
    depths[tree.left[node]] = depths[tree.right[node]] = depths[node] + 1;
  }
  return depths;
}

/// The depth of the deepest leaf.
[[nodiscard]] inline int depth_of(const Tree& tree) {
  const std::vector<int> depths = depths_of(tree);
  return *std::max_element(depths.begin(), depths.end());
}

[[nodiscard]] inline std::int64_t leaves_of(const Tree& tree) {
  return std::count(tree.feature.begin(), tree.feature.end(), -1);
}

/// Every split and leaf as text.
[[nodiscard]] inline std::string splits_of(const Forest& forest) {
  std::string text;
  for (std::size_t tree = 0; tree < forest.trees.size(); ++tree) text += export_text(forest, tree, 1000);
  return text;
}

/// A fit, and what it is called.
struct Fit {
  std::string name;
  Dataset data;
  ForestParameters parameters;
  std::vector<float> sample_weight;

  [[nodiscard]] Forest train(ForestOptions options = {}, const Forest* earlier = nullptr) const {
    return train_forest(parameters, data, options, sample_weight, earlier);
  }
};

/// Fits that between them use every rule of growth.
[[nodiscard]] inline std::vector<Fit> many_fits() {
  std::vector<Fit> fits;
  const auto add = [&](std::string name, const MadeData& data, ForestKind kind, const Parameters& parameters,
                       bool weighted) {
    Fit fit{std::move(name), made_data(data), {}, {}};
    fit.parameters = ForestParameters::defaults(kind, fit.data.task);
    fit.parameters.n_estimators = 12;
    fit.parameters.random_state = 77;
    fit.parameters.set(parameters);
    if (weighted) fit.sample_weight = made_weights(fit.data.rows);
    fits.push_back(std::move(fit));
  };
  const auto forest = ForestKind::random_forest;
  const auto extra = ForestKind::extra_trees;
  add("classes", {}, forest, {{"oob_score", true}}, false);
  add("holes and weights", {.missing = 0.1}, forest,
      {{"criterion", "entropy"}, {"class_weight", "balanced_subsample"}, {"min_samples_leaf", std::int64_t{3}}}, true);
  add("cut short", {.rows = 300, .levels = 5}, forest,
      {{"max_leaf_nodes", std::int64_t{20}}, {"ccp_alpha", 0.001}, {"class_weight", "balanced"}}, false);
  add("extra trees", {.missing = 0.2}, extra, {{"max_features", 0.5}}, false);
  add("numbers", {.classes = 0}, forest, {{"oob_score", true}, {"max_samples", 0.6}}, true);
  add("numbers with holes", {.classes = 0, .missing = 0.2}, extra,
      {{"bootstrap", true}, {"min_weight_fraction_leaf", 0.02}}, false);
  add("counts", {.classes = 0, .levels = 9}, forest, {{"criterion", "poisson"}, {"min_impurity_decrease", 0.001}},
      true);
  return fits;
}

/// A fit of 36 features for other_values().
[[nodiscard]] inline Fit plain_fit(Task task) {
  const std::int32_t classes = task == Task::classification ? 3 : 0;
  Fit fit{"plain", made_data({.rows = 200, .features = 36, .classes = classes}), {}, {}};
  fit.parameters = ForestParameters::defaults(ForestKind::random_forest, task);
  fit.parameters.n_estimators = 4;
  return fit;
}

/// For every parameter of ForestParameters::names() the values to try on plain_fit(), each of which differs from the
/// default and from the others in what it does.
struct OtherValues {
  Task task = Task::classification;
  std::string name;
  std::vector<ParameterValue> values;
};
[[nodiscard]] inline std::vector<OtherValues> other_values() {
  using Words = std::vector<ParameterValue>;
  const auto whole = [](std::int64_t value) { return ParameterValue(value); };
  const auto word = [](const char* value) { return ParameterValue(std::string(value)); };
  return {{Task::classification, "n_estimators", {whole(1), whole(9)}},
          {Task::classification, "criterion", {word("entropy")}},
          {Task::regression, "criterion", {word("poisson")}},
          {Task::classification, "max_depth", {whole(1), whole(3)}},
          {Task::classification, "min_samples_split", {whole(25), 0.25}},
          {Task::regression, "min_samples_leaf", {whole(12), 0.1}},
          {Task::classification, "min_weight_fraction_leaf", {0.07}},
          {Task::classification, "max_features", {word("log2"), whole(1), 0.5, std::monostate()}},
          {Task::regression, "max_features", {word("sqrt"), word("log2"), whole(36 / 4)}},
          {Task::classification, "max_leaf_nodes", {whole(2), whole(9)}},
          {Task::regression, "min_impurity_decrease", {1e6, 1e9}},
          {Task::classification, "bootstrap", {false}},
          {Task::classification, "oob_score", {true}},
          {Task::classification, "random_state", {whole(1), whole(std::int64_t{1} << 40)}},
          {Task::classification, "warm_start", {true}},
          {Task::classification, "class_weight", Words{word("balanced"), word("balanced_subsample"), word("0:1,2:5")}},
          {Task::classification, "ccp_alpha", {0.01, 0.03}},
          {Task::classification, "max_samples", {whole(30), 0.4}},
          {Task::classification, "max_bins", {whole(2), whole(20)}}};
}

}  // namespace overtake::test
