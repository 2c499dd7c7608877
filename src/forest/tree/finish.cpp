// SPDX-License-Identifier: MIT
#include "forest/tree/finish.hpp"
#include "overtake/forest/forest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forest/grow/formulas.hpp"
#include "forest/grow/impurity.hpp"

namespace overtake::forest {
namespace {

double random_threshold(const BinEdges& edges, const NodeRecord& node, std::uint64_t seed, std::int32_t tree) {
  const float* upper = edges.upper.data() + edges.first[node.feature];
  const std::uint32_t random =
      formulas::forest_bits(static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), tree,
                            FOREST_THRESHOLDS, node.key, static_cast<std::uint32_t>(node.feature));
  return formulas::forest_random_threshold(upper[node.between & 0xffffU], upper[node.between >> 16], random);
}

}  // namespace

double threshold_of(const BinEdges& edges, const NodeRecord& node, bool random_thresholds, std::uint64_t seed,
                    std::int32_t tree) {
  const std::uint32_t low = node.between & 0xffffU;
  const std::uint32_t high = node.between >> 16;
  if (high == FOREST_NO_BIN) return std::numeric_limits<double>::infinity();
  const std::int32_t first = edges.first[node.feature];
  const double threshold = random_thresholds
                               ? random_threshold(edges, node, seed, tree)
                               : formulas::forest_middle(edges.upper[first + low], edges.lower[first + high]);
  // Inside a bin it would send rows elsewhere than the bins did.
  const std::uint32_t cut = node.cut & 0xffffU;
  const float below = edges.upper[first + cut];
  const float above = edges.lower[first + cut + 1];
  if (threshold >= static_cast<double>(below) && threshold < static_cast<double>(above)) return threshold;
  return formulas::forest_middle(below, above);
}

Tree finish_tree(const Problem& problem, const ForestJob& job, const GrownTree& grown, std::int32_t tree) {
  const Weights& weights = problem.weights[job.weights];
  const auto classes = static_cast<std::size_t>(problem.targets.classes);
  const auto nodes = static_cast<std::int32_t>(grown.nodes.size());
  Tree result;
  const auto size = static_cast<std::size_t>(nodes);
  for (auto* list : {&result.feature, &result.left, &result.right, &result.samples}) list->reserve(size);
  for (auto* list : {&result.threshold, &result.weighted_samples}) list->reserve(size);
  result.nan_left.reserve(size);
  result.value.reserve(size * std::max<std::size_t>(classes, 1));
  result.impurity = impurities_of(problem, job.rule.criterion, grown);
  for (std::int32_t i = 0; i < nodes; ++i) {
    const NodeRecord& node = grown.nodes[i];
    const bool leaf = node.feature < 0;
    const auto weight = static_cast<double>(node.weight);
    result.feature.push_back(leaf ? -1 : node.feature);
    result.threshold.push_back(
        leaf ? std::numeric_limits<double>::quiet_NaN()
             : threshold_of(problem.data.edges, node, job.rule.random_thresholds, job.seed, tree));
    result.nan_left.push_back(leaf ? 0 : static_cast<std::uint8_t>(node.cut >> 16 & 1U));
    result.left.push_back(leaf ? -1 : node.left);
    result.right.push_back(leaf ? -1 : grown.right[i]);
    result.samples.push_back(node.samples);
    result.weighted_samples.push_back(weight / weights.scale);
    // The same operations in the same order as when candidates are scored, for the same bits.
    if (classes == 0) result.value.push_back(grown.means[i]);
    for (std::size_t c = 0; c < classes; ++c) {
      result.value.push_back(static_cast<double>(grown.class_weights[static_cast<std::size_t>(i) * classes + c]) /
                             weight);
    }
  }
  return result;
}

std::vector<double> importances_of(const std::vector<Tree>& trees, std::int32_t features) {
  const auto normalise = [](std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    if (!(sum > 0)) return;
    for (double& value : values) value /= sum;
  };
  std::vector<double> total(static_cast<std::size_t>(features), 0.0);
  for (const Tree& tree : trees) {
    if (tree.nodes() <= 1) continue;
    std::vector<double> decrease(total.size(), 0.0);
    const auto weighted = [&](std::int32_t node) { return tree.weighted_samples[node] * tree.impurity[node]; };
    for (std::int32_t node = 0; node < tree.nodes(); ++node) {
      if (tree.feature[node] < 0) continue;
      // No split makes a node less pure: less than 0 is rounding.
      decrease[tree.feature[node]] +=
          std::max(0.0, weighted(node) - weighted(tree.left[node]) - weighted(tree.right[node]));
    }
    normalise(decrease);
    for (std::size_t feature = 0; feature < total.size(); ++feature) total[feature] += decrease[feature];
  }
  normalise(total);
  return total;
}

}  // namespace overtake::forest
