// SPDX-License-Identifier: MIT
// How much work forests are, before they are grown.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "overtake/forest.hpp"

namespace overtake {
namespace {

/// What makes two candidates share a forest: all parameters but the limits that only cut it short.
std::string sharing_key(ForestParameters parameters) {
  parameters.n_estimators = 1;
  parameters.max_depth.reset();
  parameters.max_leaf_nodes.reset();
  parameters.min_samples_split = {false, 2};
  parameters.min_impurity_decrease = 0;
  parameters.ccp_alpha = 0;
  std::string key;
  for (const auto& [name, value] : parameters.all()) key += name + "=" + to_text(value) + " ";
  return key;
}

double features_a_node(const MaxFeatures& wanted, double features) {
  switch (wanted.kind) {
    case MaxFeatures::Kind::sqrt: return std::sqrt(features);
    case MaxFeatures::Kind::log2: return std::log2(features);
    case MaxFeatures::Kind::all: return features;
    case MaxFeatures::Kind::count: return wanted.value;
    case MaxFeatures::Kind::fraction: return wanted.value * features;
  }
  return features;
}

}  // namespace

double forest_work(const Dataset& data, const std::vector<ForestParameters>& forests, std::int64_t fits) {
  struct Shared {
    double trees = 0, depth = 0, features = 0;
  };
  std::map<std::string, Shared> shared;
  const auto rows = static_cast<double>(data.rows);
  for (const ForestParameters& parameters : forests) {
    Shared& of = shared[sharing_key(parameters)];
    of.trees = std::max(of.trees, static_cast<double>(parameters.n_estimators));
    const double depth = parameters.max_depth ? *parameters.max_depth : std::numeric_limits<double>::infinity();
    of.depth = std::max(of.depth, std::min(depth, std::log2(rows + 2)));
    of.features = std::max(1.0, features_a_node(parameters.max_features, static_cast<double>(data.features)));
  }
  double visits = 0;
  for (const auto& [key, of] : shared) visits += of.trees * rows * of.features * of.depth * static_cast<double>(fits);
  return visits;
}

}  // namespace overtake
