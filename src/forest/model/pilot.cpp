// SPDX-License-Identifier: MIT
#include "forest/model/pilot.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forest/model/resolve.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/training.hpp"
#include "overtake/forest/work.hpp"

namespace overtake::forest {
namespace {

constexpr double most_cells = 4e5;   // binned for the larger sample: about 10 ms
constexpr double most_visits = 8e6;  // of growing its tree: likewise
constexpr std::int64_t most_rows = 16384;

/// Every n-th row, so that data in the order of their classes are sampled alike.
Dataset sample_of(const Dataset& data, std::int64_t rows) {
  if (rows >= data.rows) return data;
  std::vector<std::int32_t> chosen(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) chosen[i] = static_cast<std::int32_t>(i * data.rows / rows);
  return select(data, chosen);
}

TreeProfile profile_of(const Tree& tree) {
  TreeProfile profile;
  if (tree.nodes() == 0) return profile;
  profile.sample = tree.samples[0];
  std::vector<std::size_t> depth(tree.feature.size(), 0);
  for (std::size_t node = 0; node < tree.feature.size(); ++node) {  // children come behind their parents
    if (tree.feature[node] < 0) continue;
    depth[tree.left[node]] = depth[tree.right[node]] = depth[node] + 1;
    if (profile.levels.size() <= depth[node]) profile.levels.resize(depth[node] + 1);
    profile.levels[depth[node]].nodes += 1;
    profile.levels[depth[node]].rows += tree.samples[node];
    profile.sizes.push_back({static_cast<double>(tree.samples[node]), static_cast<double>(depth[node])});
  }
  std::sort(profile.sizes.begin(), profile.sizes.end(),
            [](const TreeProfile::Node& a, const TreeProfile::Node& b) { return a.rows > b.rows; });
  return profile;
}

TreeProfile grow(const Dataset& data, const ForestParameters& parameters) {
  try {
    const Forest forest = train_forest(parameters, data);
    return profile_of(forest.trees.at(0));
  } catch (const Error&) {
    return {};  // whoever trains it is told
  }
}

/// Of at most 16 features.
double distinct_values(const Dataset& data) {
  const std::int64_t step = std::max<std::int64_t>(1, data.features / 16);
  double sum = 0, features = 0;
  for (std::int64_t feature = 0; feature < data.features; feature += step) {
    std::vector<float> values;
    for (std::int64_t row = 0; row < data.rows; ++row) {
      const float value = data.inputs[row * data.features + feature];
      if (!std::isnan(value)) values.push_back(value);
    }
    std::sort(values.begin(), values.end());
    sum += static_cast<double>(std::unique(values.begin(), values.end()) - values.begin());
    features += 1;
  }
  return features > 0 ? sum / features : 0;
}

}  // namespace

double TreeProfile::moves() const noexcept {
  return std::accumulate(sizes.begin(), sizes.end(), 0.0, [](double sum, const Node& node) { return sum + node.rows; });
}

Pilot::Pilot(const Dataset& data, ForestParameters parameters) {
  parameters.n_estimators = 1;
  parameters.max_depth = {};
  parameters.min_samples_split = 2;
  parameters.min_samples_leaf = 1;
  parameters.min_weight_fraction_leaf = 0;
  parameters.max_leaf_nodes = {};
  parameters.max_samples = {};
  parameters.class_weight = {};
  parameters.oob_score = false;
  parameters.warm_start = false;
  const double features = static_cast<double>(std::max<std::int64_t>(1, data.features));
  Scope scope{static_cast<std::int32_t>(data.features), data.rows, static_cast<double>(data.rows), 0, 0};
  double looked_at = features;
  try {
    looked_at = resolve(parameters, scope).job.rule.max_features;
  } catch (const DataError&) {  // NOLINT(bugprone-empty-catch): grow() finds it, too
  }
  auto rows = static_cast<std::int64_t>(std::min(most_cells / features, most_visits / looked_at / 14));
  rows = std::clamp<std::int64_t>(rows, 64, most_rows);
  const Dataset sample = sample_of(data, std::min(rows, data.rows));
  distinct_ = distinct_values(sample);
  large_ = grow(sample, parameters);
  small_ = grow(sample_of(data, std::max<std::int64_t>(1, std::min(rows, data.rows) / 4)), parameters);
  bootstrap_share_ = parameters.bootstrap ? 1 - std::exp(-1.0) : 1;
}

TreeForecast Pilot::tree(double rows, const TreeLimits& limits) const {
  TreeForecast forecast;
  if (large_.sizes.empty()) return forecast;
  rows *= bootstrap_share_;
  const Growth growth = growth_to(rows);
  // By depth: the levels of the sample, stretched; none has more nodes than a binary tree.
  const double scale = growth.nodes / large_.nodes() / growth.stretch;
  for (std::size_t level = 0; level < large_.levels.size(); ++level) {
    const double at = static_cast<double>(level) * growth.stretch;
    const double levels = std::clamp(limits.depth - at, 0.0, growth.stretch);
    const double most = std::pow(2.0, std::min(at, 60.0));
    forecast.nodes += std::min(large_.levels[level].nodes * scale, most) * levels;
    forecast.moves += large_.levels[level].rows * growth.rows * levels;
  }
  // By rows: the share of nodes that are not too small.
  const AtLeast all = at_least(2, growth);
  const AtLeast kept = at_least(std::max(2.0, limits.least_rows), growth);
  forecast.nodes *= kept.nodes / all.nodes;
  forecast.moves *= kept.moves / all.moves;
  const AtLeast not_small = at_least(std::max(small_node_rows, limits.least_rows), growth, limits.depth);
  forecast.small_nodes = std::max(0.0, forecast.nodes - not_small.nodes);
  forecast.small_moves = std::max(0.0, forecast.moves - not_small.moves);
  forecast.is_large = rows > large_node_rows;
  return forecast;
}

/// Nodes grow as a power of the rows, levels by a number for each fourfold.
Pilot::Growth Pilot::growth_to(double rows) const {
  Growth growth;
  growth.rows = rows / large_.sample;
  const double fourfolds = std::log(growth.rows) / std::log(4.0);
  const double ratio = small_.sizes.empty() ? 4 : large_.nodes() / small_.nodes();
  growth.nodes = large_.nodes() * std::pow(std::clamp(ratio, 1.0, 4.0), fourfolds);
  const double depth = large_.moves() / large_.sample;
  const double small_depth = small_.sizes.empty() ? depth : small_.moves() / small_.sample;
  growth.stretch = std::max(0.5, 1 + std::max(0.0, depth - small_depth) * fourfolds / depth);
  return growth;
}

/// Nodes of so many rows above a depth, and their rows, in a tree that has grown. Below what the sample shows they are
/// filled in between its smallest nodes and the whole tree, evenly in the logarithm.
Pilot::AtLeast Pilot::at_least(double rows, const Growth& growth, double depth) const {
  const double in_sample = rows / growth.rows;
  AtLeast found;
  for (const TreeProfile::Node& node : large_.sizes) {
    if (node.rows < in_sample) break;
    if (node.depth * growth.stretch >= depth) continue;
    found.nodes += 1;
    found.moves += node.rows * growth.rows;
  }
  if (growth.rows <= 1 || in_sample >= 2) return {std::max(found.nodes, 1.0), std::max(found.moves, 1.0)};
  const double way = std::log(2 / in_sample) / std::log(growth.rows);
  const double all_moves = large_.moves() * growth.rows * growth.stretch;
  found.nodes *= std::pow(growth.nodes / large_.nodes(), way);
  found.moves += way * std::max(0.0, all_moves - found.moves);
  return found;
}

}  // namespace overtake::forest
