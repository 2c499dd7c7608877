// SPDX-License-Identifier: MIT
#include "forest/grow/impurity.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "forest/grow/formulas.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {
namespace {

constexpr double ln2 = 0.69314718055994531;

/// (1 + d) ln(1 + d) - d for d >= -1, never negative and without cancellation.
double poisson_excess(double d) {
  if (std::fabs(d) >= 0.125) {
    return d <= -1 ? 1.0 : std::max(0.0, (1 + d) * (formulas::forest_log2(1 + d) * ln2) - d);
  }
  constexpr int terms = 20;  // sum over k from 2 of (-d)^k / (k (k - 1))
  double sum = 0;
  for (int k = terms; k >= 2; --k) sum = 1.0 / (k * (k - 1)) - d * sum;
  return d * d * sum;
}

/// What is known of the targets of a node. Their mean is kept as a target of the node and what must be added to it, so
/// that means that lie near each other can be subtracted.
struct Spread {
  double weight = 0;
  double reference = 0, offset = 0;
  double sum = 0;  ///< of weight * impurity

  [[nodiscard]] double mean() const { return reference + offset; }
};

/// What `weight` targets that lie `apart` from a mean add to its sum.
double deviation(Criterion criterion, double mean, double apart, double weight) {
  if (criterion != Criterion::poisson) return weight * apart * apart;
  return mean > 0 ? weight * mean * poisson_excess(apart / mean) : 0.0;
}

Spread leaf_spread(const Targets& targets, Criterion criterion, std::span<const std::uint32_t> rows,
                   std::span<const std::uint32_t> weights) {
  Spread spread;
  if (rows.empty()) return spread;
  spread.reference = targets.values[rows[0]];
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spread.weight += weights[i];
    spread.offset += weights[i] * (targets.values[rows[i]] - spread.reference);
  }
  spread.offset /= spread.weight;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double apart = (targets.values[rows[i]] - spread.reference) - spread.offset;
    spread.sum += deviation(criterion, spread.mean(), apart, weights[i]);
  }
  return spread;
}

Spread joined(Criterion criterion, const Spread& left, const Spread& right) {
  Spread all;
  all.weight = left.weight + right.weight;
  const double apart = (right.reference - left.reference) + (right.offset - left.offset);
  const double to_left = apart * (right.weight / all.weight);
  const double to_right = apart * (left.weight / all.weight);
  all.reference = left.reference;
  all.offset = left.offset + to_left;
  all.sum = left.sum + right.sum + deviation(criterion, all.mean(), -to_left, left.weight) +
            deviation(criterion, all.mean(), to_right, right.weight);
  return all;
}

double class_impurity(Criterion criterion, std::span<const std::uint32_t> class_weights, double weight) {
  double sum = 0;
  for (const std::uint32_t of_class : class_weights) {
    if (of_class == 0) continue;
    const double share = of_class / weight;
    sum += criterion == Criterion::gini ? share * ((weight - of_class) / weight)
                                        : std::max(0.0, -share * formulas::forest_log2(share));
  }
  return sum;
}

}  // namespace

LeafRows leaf_rows(const GrownTree& tree, const std::array<LeafRows, 2>& lists) {
  LeafRows leaves;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> of_leaf;
  for (const NodeRecord& node : tree.nodes) {
    if (node.feature >= 0) continue;
    const LeafRows& list = lists[node.depth % 2];
    const std::size_t begin = leaves.rows.size();
    of_leaf.clear();
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(node.samples); ++i) {
      of_leaf.emplace_back(list.rows[i], list.weights[i]);
    }
    std::sort(of_leaf.begin(), of_leaf.end());
    for (const auto& [row, weight] : of_leaf) {
      leaves.rows.push_back(row);
      leaves.weights.push_back(weight);
    }
  }
  return leaves;
}

std::vector<double> number_impurities(const Targets& targets, Criterion criterion, const GrownTree& tree,
                                      const LeafRows& leaves) {
  const std::size_t nodes = tree.nodes.size();
  std::vector<Spread> spreads(nodes);
  std::size_t begin = 0;
  for (std::size_t node = 0; node < nodes; ++node) {
    if (tree.nodes[node].feature >= 0) continue;
    const auto count = static_cast<std::size_t>(tree.nodes[node].samples);
    spreads[node] = leaf_spread(targets, criterion, std::span(leaves.rows).subspan(begin, count),
                                std::span(leaves.weights).subspan(begin, count));
    begin += count;
  }
  std::vector<double> impurities(nodes, 0.0);
  for (std::size_t node = nodes; node-- > 0;) {  // children come after their parents
    const NodeRecord& record = tree.nodes[node];
    if (record.feature >= 0) spreads[node] = joined(criterion, spreads[record.left], spreads[tree.right[node]]);
    if (spreads[node].weight > 0) impurities[node] = spreads[node].sum / spreads[node].weight;
  }
  return impurities;
}

std::vector<double> impurities_of(const Problem& problem, Criterion criterion, const GrownTree& tree) {
  const auto classes = static_cast<std::size_t>(problem.targets.classes);
  if (classes == 0) {
    if (tree.impurities.size() != tree.nodes.size()) throw InternalError("a tree was grown without its impurities");
    return tree.impurities;
  }
  std::vector<double> impurities(tree.nodes.size(), 0.0);
  for (std::size_t node = 0; node < impurities.size(); ++node) {
    const auto weight = static_cast<double>(tree.nodes[node].weight);
    if (weight == 0) continue;
    impurities[node] = class_impurity(criterion, {&tree.class_weights[node * classes], classes}, weight);
  }
  return impurities;
}

}  // namespace overtake::forest
