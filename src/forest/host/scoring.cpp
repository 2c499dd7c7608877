// SPDX-License-Identifier: MIT
#include "forest/host/scoring.hpp"

#include <algorithm>

#include "core/stop.hpp"
#include "forest/host/split.hpp"
#include "forest/tree/pruning.hpp"
#include "overtake/metrics.hpp"

namespace overtake::forest {
namespace {

std::vector<std::uint8_t> leaves_of(const Problem& problem, const ForestJob& job, const View& view,
                                    const GrownTree& tree) {
  if (view.needs_pruning()) return leaf_flags(problem, job, view, tree);
  std::vector<std::uint8_t> leaves(tree.nodes.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i] = cuts(view, tree.nodes[i]) ? 1 : 0;
  return leaves;
}

/// Node x outputs: what a row that stops there adds to the sum.
std::vector<double> probabilities_of(const Problem& problem, const GrownTree& tree) {
  const auto classes = static_cast<std::size_t>(problem.targets.classes);
  if (classes == 0) return tree.means;
  const std::size_t nodes = tree.nodes.size();
  std::vector<double> probabilities(nodes * classes);
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto weight = static_cast<double>(tree.nodes[node].weight);
    for (std::size_t c = 0; c < classes; ++c) {
      probabilities[node * classes + c] = static_cast<double>(tree.class_weights[node * classes + c]) / weight;
    }
  }
  return probabilities;
}

std::int32_t walk(const BinnedData& data, const GrownTree& tree, std::uint32_t row) {
  std::int32_t node = 0;
  while (tree.nodes[node].feature >= 0) {
    const NodeRecord& record = tree.nodes[node];
    const std::uint32_t bin = bin_at(data, row, record.feature);
    const bool missing = bin == static_cast<std::uint32_t>(data.edges.bins(record.feature));
    const bool left = missing ? (record.cut >> 16) != 0 : bin <= (record.cut & 0xffffU);
    node = left ? record.left : tree.right[node];
  }
  return node;
}

}  // namespace

std::vector<std::int32_t> stopping_nodes(const GrownTree& tree, const std::vector<std::uint8_t>& leaves) {
  std::vector<std::int32_t> stops(tree.nodes.size());
  std::vector<std::uint8_t> stopped(tree.nodes.size(), 0);
  for (std::size_t node = 0; node < stops.size(); ++node) {
    if (stopped[node] == 0) {
      stops[node] = static_cast<std::int32_t>(node);
      stopped[node] = leaves[node];
    }
    if (tree.nodes[node].feature < 0) continue;
    for (const std::int32_t child : {tree.nodes[node].left, tree.right[node]}) {
      stopped[child] = stopped[node];
      stops[child] = stops[node];
    }
  }
  return stops;
}

JobScorer::JobScorer(const Problem& problem, const ForestJob& job, std::vector<Limits> limits, bool predictions)
    : problem_(problem),
      job_(job),
      limits_(std::move(limits)),
      predictions_(predictions),
      outputs_(static_cast<std::size_t>(std::max(problem.targets.classes, 1))),
      sums_(limits_.size() * problem.folds[job.fold].test.size() * outputs_) {}

void JobScorer::begin_round(std::span<const GrownTree> trees, std::int32_t first) {
  trees_ = trees;
  first_ = first;
  tables_.assign(trees.size(), {});
  due_.clear();
  const auto last = first + static_cast<std::int32_t>(trees.size());
  for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
    for (const Limits::Member& member : limits_[limit].members) {
      if (member.trees <= first || member.trees > last) continue;
      due_.push_back({limit, member, {}, {}});
      if (problem_.targets.classes > 0) due_.back().predicted.resize(test().size());
      if (predictions_ || problem_.targets.classes == 0) due_.back().means.resize(test().size() * outputs_);
    }
  }
}

void JobScorer::prepare(std::size_t i) {
  for (const Limits& limits : limits_) {
    tables_[i].stops.push_back(stopping_nodes(trees_[i], leaves_of(problem_, job_, limits.view, trees_[i])));
  }
  tables_[i].probabilities = probabilities_of(problem_, trees_[i]);
}

bool JobScorer::add_block(std::size_t index, const StopToken* stop) {
  const std::size_t begin = index * block;
  const std::size_t end = std::min(test().size(), begin + block);
  for (std::size_t tree = 0; tree < trees_.size(); ++tree) {
    if (is_stopped(stop)) return false;
    add_tree(tree, begin, end);
    for (Due& due : due_) {
      if (due.member.trees == first_ + static_cast<std::int32_t>(tree) + 1) snapshot(due, begin, end);
    }
  }
  return true;
}

void JobScorer::add_tree(std::size_t tree, std::size_t begin, std::size_t end) {
  const Tables& tables = tables_[tree];
  for (std::size_t i = begin; i < end; ++i) {
    const std::int32_t leaf = walk(problem_.data, trees_[tree], static_cast<std::uint32_t>(test()[i]));
    for (std::size_t limit = 0; limit < limits_.size(); ++limit) {
      const double* share = &tables.probabilities[static_cast<std::size_t>(tables.stops[limit][leaf]) * outputs_];
      double* sum = &sums_[(limit * test().size() + i) * outputs_];
      for (std::size_t output = 0; output < outputs_; ++output) sum[output] += share[output];
    }
  }
}

void JobScorer::snapshot(Due& due, std::size_t begin, std::size_t end) {
  std::vector<double> means(outputs_);
  for (std::size_t i = begin; i < end; ++i) {
    const double* sum = &sums_[(due.limit * test().size() + i) * outputs_];
    for (std::size_t output = 0; output < outputs_; ++output) means[output] = sum[output] / due.member.trees;
    if (!due.predicted.empty()) {
      due.predicted[i] = static_cast<std::uint32_t>(std::max_element(means.begin(), means.end()) - means.begin());
    }
    if (!due.means.empty()) {
      std::copy(means.begin(), means.end(), due.means.begin() + static_cast<std::ptrdiff_t>(i * outputs_));
    }
  }
}

void JobScorer::end_round(std::vector<FoldOutcome>& outcomes) {
  for (Due& due : due_) {
    FoldOutcome& outcome = outcomes[due.member.view];
    if (problem_.targets.classes > 0) {
      outcome.confusion.assign(outputs_ * outputs_, 0);
      for (std::size_t i = 0; i < test().size(); ++i) {
        outcome.confusion[static_cast<std::size_t>(problem_.targets.labels[test()[i]]) * outputs_ + due.predicted[i]] +=
            1;
      }
    } else {
      sum_errors(problem_, test(), due.means, outcome);
    }
    if (predictions_) outcome.predictions = std::move(due.means);
  }
  due_.clear();
  tables_.clear();
}

void sum_errors(const Problem& problem, std::span<const std::int32_t> test, std::span<const double> predictions,
                FoldOutcome& outcome) {
  std::vector<double> truth;
  truth.reserve(test.size());
  for (const std::int32_t row : test) truth.push_back(problem.targets.values[row]);
  const ErrorSums sums = error_sums(predictions, truth);
  outcome.squared_error = sums.squared;
  outcome.absolute_error = sums.absolute;
}

}  // namespace overtake::forest
