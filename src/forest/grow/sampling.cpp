// SPDX-License-Identifier: MIT
#include "forest/grow/sampling.hpp"

#include <algorithm>
#include <cmath>

#include "forest/grow/formulas.hpp"

namespace overtake::forest {

namespace {

/// Whether a tree sees a row that it draws.
bool weighs(const Weights& weights, std::int32_t row) { return weights.row[row] > 0; }

}  // namespace

bool may_draw_nothing(const Problem& problem, const ForestJob& job) {
  const Weights& weights = problem.weights[job.weights];
  if (!job.bootstrap || weights.row.empty()) return false;
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  const auto light = std::count_if(train.begin(), train.end(), [&](auto row) { return !weighs(weights, row); });
  if (light == 0) return false;
  const double share = static_cast<double>(light) / static_cast<double>(train.size());
  return static_cast<double>(job.draws) * std::log2(share) > -100;
}

std::vector<std::uint32_t> draw_counts(const Problem& problem, const ForestJob& job, std::int32_t tree) {
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  if (!job.bootstrap) return std::vector<std::uint32_t>(train.size(), 1);
  std::vector<std::uint32_t> counts(train.size(), 0);
  const auto seed_low = static_cast<std::uint32_t>(job.seed);
  const auto seed_high = static_cast<std::uint32_t>(job.seed >> 32);
  const std::uint32_t stream = FOREST_STREAMS * static_cast<std::uint32_t>(tree) + FOREST_DRAWS;
  const auto rows = static_cast<std::uint32_t>(train.size());
  for (std::int64_t draw = 0; draw < job.draws; draw += 4) {
    const auto block = formulas::philox_block(seed_low, seed_high, stream, 0, static_cast<std::uint32_t>(draw / 4));
    const std::int64_t words = std::min<std::int64_t>(4, job.draws - draw);
    for (std::int64_t word = 0; word < words; ++word) ++counts[formulas::forest_below(block.word[word], rows)];
  }
  if (!may_draw_nothing(problem, job)) return counts;
  const Weights& weights = problem.weights[job.weights];
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (counts[i] > 0 && weighs(weights, train[i])) return counts;
  }
  if (std::none_of(train.begin(), train.end(), [&](auto row) { return weighs(weights, row); })) return counts;
  for (auto draw = static_cast<std::uint32_t>(job.draws);; ++draw) {
    const std::uint32_t at = formulas::forest_below(formulas::forest_bits(seed_low, seed_high, stream, 0, draw), rows);
    ++counts[at];
    if (weighs(weights, train[at])) return counts;
  }
}

std::vector<double> class_factors(const Problem& problem, const ForestJob& job,
                                  const std::vector<std::uint32_t>& counts) {
  const auto classes = static_cast<std::size_t>(problem.targets.classes);
  std::vector<double> factors(classes, 1.0);
  if (!problem.weights[job.weights].balance_each_tree) return factors;
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  std::vector<std::int64_t> drawn(classes, 0);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < train.size(); ++i) {
    drawn[problem.targets.labels[train[i]]] += counts[i];
    total += counts[i];
  }
  std::int64_t present = 0;
  for (const std::int64_t number : drawn) present += number > 0 ? 1 : 0;
  for (std::size_t c = 0; c < classes; ++c) {
    if (drawn[c] > 0) factors[c] = static_cast<double>(total) / static_cast<double>(present * drawn[c]);
  }
  return factors;
}

std::vector<std::uint32_t> tree_weights(const Problem& problem, const ForestJob& job, std::int32_t tree) {
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  std::vector<std::uint32_t> counts = draw_counts(problem, job, tree);
  const Weights& weights = problem.weights[job.weights];
  if (weights.row.empty() && !weights.balance_each_tree) return counts;
  const std::vector<double> factors = class_factors(problem, job, counts);
  for (std::size_t i = 0; i < train.size(); ++i) {
    const std::int32_t row = train[i];
    const double own = weights.row.empty() ? 1.0 : weights.row[row];
    const double factor = factors.empty() ? 1.0 : factors[problem.targets.labels[row]];
    counts[i] = formulas::forest_weight(counts[i], own * factor * weights.scale);
  }
  return counts;
}

}  // namespace overtake::forest
