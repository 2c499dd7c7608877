// SPDX-License-Identifier: MIT
#include "forest/grow/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "forest/grow/formulas.hpp"
#include "overtake/error.hpp"
#include "overtake/forest/parameters.hpp"

namespace overtake::forest {

namespace {

/// Whether a tree sees a row that it draws.
bool weighs(const Weights& weights, std::int32_t row) { return weights.row[row] > 0; }

/// Visits the positions below `rows` that a tree draws.
template <typename Visit>
void for_each_draw(const ForestJob& job, std::int64_t rows, std::int32_t tree, const Visit& visit) {
  const auto seed_low = static_cast<std::uint32_t>(job.seed);
  const auto seed_high = static_cast<std::uint32_t>(job.seed >> 32);
  for (std::int64_t draw = 0; draw < job.draws; draw += 4) {
    const auto block =
        formulas::forest_block(seed_low, seed_high, tree, FOREST_DRAWS, 0, static_cast<std::uint32_t>(draw / 4));
    const std::int64_t words = std::min<std::int64_t>(4, job.draws - draw);
    for (std::int64_t word = 0; word < words; ++word) {
      visit(formulas::forest_below(block.word[word], static_cast<std::uint32_t>(rows)));
    }
  }
}

std::uint32_t rounded_up(double weight) {
  return static_cast<std::uint32_t>(std::clamp(std::ceil(weight), 0.0, 4294967295.0));
}

static_assert(static_cast<int>(Criterion::gini) == formulas::CRITERION_GINI &&
              static_cast<int>(Criterion::entropy) == formulas::CRITERION_ENTROPY &&
              static_cast<int>(Criterion::squared_error) == formulas::CRITERION_SQUARED_ERROR &&
              static_cast<int>(Criterion::friedman_mse) == formulas::CRITERION_FRIEDMAN &&
              static_cast<int>(Criterion::poisson) == formulas::CRITERION_POISSON);

}  // namespace

JobRow job_row(const Problem& problem, const ForestJob& job) {
  constexpr std::int32_t most_features = 1 << 23;
  if (problem.data.edges.features > most_features) {
    throw DataError(
        fmt::format("the data has {} features; forests take at most {}", problem.data.edges.features, most_features));
  }
  const double least_weight = job.rule.min_weight_leaf * problem.weights[job.weights].scale;
  JobRow row{};
  row.criterion = static_cast<std::int32_t>(job.rule.criterion);
  row.random = job.rule.random_thresholds ? 1 : 0;
  row.max_features = job.rule.max_features;
  row.min_leaf = job.rule.min_samples_leaf;
  row.least_weight = rounded_up(least_weight);
  row.least_weight_twice = rounded_up(2 * least_weight);
  row.max_depth = job.max_depth;
  row.min_split = job.min_samples_split;
  row.seed_low = static_cast<std::uint32_t>(job.seed);
  row.seed_high = static_cast<std::uint32_t>(job.seed >> 32);
  row.bootstrap = job.bootstrap ? 1 : 0;
  return row;
}

bool may_draw_nothing(const Problem& problem, const ForestJob& job) {
  const Weights& weights = problem.weights[job.weights];
  if (!job.bootstrap || weights.row.empty()) return false;
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  const auto light = std::count_if(train.begin(), train.end(), [&](auto row) { return !weighs(weights, row); });
  if (light == 0) return false;
  const double share = static_cast<double>(light) / static_cast<double>(train.size());
  return static_cast<double>(job.draws) * std::log2(share) > -100;
}

std::vector<std::int32_t> drawn_positions(const ForestJob& job, std::int64_t rows, std::int32_t tree) {
  std::vector<std::int32_t> drawn;
  drawn.reserve(static_cast<std::size_t>(job.draws));
  for_each_draw(job, rows, tree, [&](std::uint32_t position) { drawn.push_back(static_cast<std::int32_t>(position)); });
  return drawn;
}

std::vector<std::uint32_t> draw_counts(const Problem& problem, const ForestJob& job, std::int32_t tree) {
  const std::vector<std::int32_t>& train = problem.folds[job.fold].train;
  if (!job.bootstrap) return std::vector<std::uint32_t>(train.size(), 1);
  std::vector<std::uint32_t> counts(train.size(), 0);
  for_each_draw(job, std::ssize(train), tree, [&](std::uint32_t position) { ++counts[position]; });
  if (!may_draw_nothing(problem, job)) return counts;
  const Weights& weights = problem.weights[job.weights];
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (counts[i] > 0 && weighs(weights, train[i])) return counts;
  }
  if (std::none_of(train.begin(), train.end(), [&](auto row) { return weighs(weights, row); })) return counts;
  const auto seed_low = static_cast<std::uint32_t>(job.seed);
  const auto seed_high = static_cast<std::uint32_t>(job.seed >> 32);
  const auto rows = static_cast<std::uint32_t>(train.size());
  for (auto draw = static_cast<std::uint32_t>(job.draws);; ++draw) {
    const std::uint32_t at =
        formulas::forest_below(formulas::forest_bits(seed_low, seed_high, tree, FOREST_DRAWS, 0, draw), rows);
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
