// SPDX-License-Identifier: MIT
// A forest grower that follows docs/forests.md word for word and in the plainest way: every split of every feature is
// tried by walking over all rows of the node. Only the logarithm is shared with the product.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "core/philox.hpp"
#include "forest/grow/formulas.hpp"
#include "forest/grow/grown_tree.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest::testing {

class OracleGrower {
 public:
  OracleGrower(const Problem& problem, const ForestJob& job, std::int32_t tree)
      : problem_(problem), job_(job), tree_(static_cast<std::uint32_t>(tree)) {}

  [[nodiscard]] GrownTree grow() {
    place(draw_rows(), 0, 1);
    return std::move(result_);
  }

 private:
  struct Row {
    std::int32_t row = 0;
    std::uint32_t weight = 0;
  };
  using Rows = std::vector<Row>;

  struct Split {
    double score = 0;
    std::int32_t feature = -1, direction = 0, bin = 0;  // direction 1: missing values go left
    std::uint32_t tie = 0;
  };

  struct Sums {
    std::int64_t rows = 0, sum = 0, fine = 0;
    std::uint32_t weight = 0;
    std::vector<std::uint32_t> classes;
  };

  [[nodiscard]] std::uint32_t bits(std::uint32_t purpose, std::uint32_t counter, std::uint64_t index) const {
    return philox::bits(job_.seed, 4 * tree_ + purpose, counter, index);
  }
  [[nodiscard]] const Weights& weights() const { return problem_.weights[job_.weights]; }
  [[nodiscard]] std::int32_t classes() const { return problem_.targets.classes; }
  [[nodiscard]] std::int32_t features() const { return problem_.data.edges.features; }
  [[nodiscard]] float upper(std::int32_t f, std::int32_t b) const {
    return problem_.data.edges.upper[problem_.data.edges.first[f] + b];
  }
  [[nodiscard]] float lower(std::int32_t f, std::int32_t b) const {
    return problem_.data.edges.lower[problem_.data.edges.first[f] + b];
  }
  [[nodiscard]] bool is_missing(std::int32_t bin, std::int32_t f) const { return bin == problem_.data.edges.bins(f); }

  [[nodiscard]] Rows draw_rows() const {
    const std::vector<std::int32_t>& train = problem_.folds[job_.fold].train;
    std::vector<std::int64_t> draws(train.size(), job_.bootstrap ? 0 : 1);
    for (std::int64_t i = 0; job_.bootstrap && i < job_.draws; ++i) {
      ++draws[(std::uint64_t{bits(0, 0, static_cast<std::uint64_t>(i))} * train.size()) >> 32];
    }
    if (job_.bootstrap && !weights().row.empty()) {
      const auto seen = [&](std::size_t i) { return weights().row[train[i]] > 0; };
      bool nothing = true, possible = false;
      for (std::size_t i = 0; i < train.size(); ++i) {
        nothing = nothing && !(draws[i] > 0 && seen(i));
        possible = possible || seen(i);
      }
      for (std::int64_t draw = job_.draws; nothing && possible; ++draw) {
        const std::size_t at = (std::uint64_t{bits(0, 0, static_cast<std::uint64_t>(draw))} * train.size()) >> 32;
        ++draws[at];
        nothing = !seen(at);
      }
    }
    std::map<std::int32_t, std::int64_t> of_class;
    for (std::size_t i = 0; i < train.size() && classes() > 0; ++i) {
      if (draws[i] > 0) of_class[problem_.targets.labels[train[i]]] += draws[i];
    }
    const std::int64_t all = std::accumulate(draws.begin(), draws.end(), std::int64_t{0});
    Rows rows;
    for (std::size_t i = 0; i < train.size(); ++i) {
      if (draws[i] == 0) continue;
      const double own = weights().row.empty() ? 1.0 : weights().row[train[i]];
      double factor = 1;
      if (weights().balance_each_tree) {
        factor = static_cast<double>(all) / static_cast<double>(static_cast<std::int64_t>(of_class.size()) *
                                                                of_class[problem_.targets.labels[train[i]]]);
      }
      const double unit = own * factor * weights().scale;
      const double weight = std::max(1.0, std::floor(static_cast<double>(draws[i]) * unit + 0.5));
      if (unit > 0) rows.push_back({train[i], static_cast<std::uint32_t>(weight)});
    }
    return rows;
  }

  /// How the targets of a node's rows are made whole numbers.
  struct Numbers {
    double low = 0, scale = 1;
    [[nodiscard]] std::int64_t of(double y) const {
      return static_cast<std::int64_t>(std::floor((y - low) * scale + 0.5));
    }
  };

  [[nodiscard]] Numbers numbers_of(const Rows& rows) const {
    if (classes() > 0 || rows.empty()) return {};
    double low = problem_.targets.values[rows[0].row];
    double high = low;
    std::uint32_t weight = 0;
    for (const Row& row : rows) {
      low = std::min(low, problem_.targets.values[row.row]);
      high = std::max(high, problem_.targets.values[row.row]);
      weight += row.weight;
    }
    if (low == high) return {low, 1};
    return {low, std::ldexp(1.0, 61 - (std::ilogb(high - low) + 1) - (std::ilogb(static_cast<double>(weight)) + 1))};
  }

  [[nodiscard]] Sums sums_of(const Rows& rows, const Numbers& numbers) const {
    Sums sums;
    sums.classes.resize(static_cast<std::size_t>(classes()));
    for (const Row& row : rows) {
      ++sums.rows;
      sums.weight += row.weight;
      if (classes() > 0) {
        sums.classes[problem_.targets.labels[row.row]] += row.weight;
      } else {
        const double y = problem_.targets.values[row.row];
        const std::int64_t number = numbers.of(y);
        const double lost = (y - numbers.low) * numbers.scale - static_cast<double>(number);
        sums.sum += std::int64_t{row.weight} * number;
        sums.fine += std::int64_t{row.weight} * static_cast<std::int64_t>(std::trunc(std::ldexp(lost, 30)));
      }
    }
    return sums;
  }

  /// From the rows, in two passes of long doubles.
  [[nodiscard]] double impurity_of(const Rows& rows) const {
    const auto y = [&](const Row& row) { return static_cast<long double>(problem_.targets.values[row.row]); };
    if (rows.empty()) return 0;
    const long double first = y(rows[0]);
    long double weight = 0, mean = 0, sum = 0;
    for (const Row& row : rows) {
      weight += row.weight;
      mean += row.weight * (y(row) - first);
    }
    mean /= weight;
    for (const Row& row : rows) {
      const long double apart = y(row) - first - mean;
      const long double ratio = apart / (first + mean);
      long double poisson = (first + mean) * ((1 + ratio) * std::log1p(ratio) - ratio);
      if (std::fabs(ratio) > 0.1L) poisson = (y(row) > 0 ? y(row) * std::log(y(row) / (first + mean)) : 0) - apart;
      sum += row.weight * (job_.rule.criterion == Criterion::poisson ? poisson : apart * apart);
    }
    return static_cast<double>(sum / weight);
  }

  std::int32_t place(const Rows& rows, std::int32_t depth, std::uint32_t key) {
    const auto index = static_cast<std::int32_t>(result_.nodes.size());
    const Numbers numbers = numbers_of(rows);
    const Sums sums = sums_of(rows, numbers);
    NodeRecord record = formulas::forest_new_node(0, FOREST_ROOT_KEY);
    record.samples = static_cast<std::int32_t>(sums.rows);
    record.weight = sums.weight;
    record.depth = depth;
    record.key = key;
    result_.nodes.push_back(record);
    result_.right.push_back(-1);
    result_.class_weights.insert(result_.class_weights.end(), sums.classes.begin(), sums.classes.end());
    if (classes() == 0) {
      const double sum = static_cast<double>(sums.sum) + std::ldexp(static_cast<double>(sums.fine), -30);
      result_.means.push_back(numbers.low + sum / sums.weight / numbers.scale);
      result_.impurities.push_back(impurity_of(rows));
    }
    if (stops(rows, record)) return index;
    const Split best = best_split(rows, key);
    if (best.feature < 0) return index;

    const auto [left, right] = divide(rows, best);
    describe(rows, left, right, best, record);
    record.left = place(left, depth + 1, child(2 * key));
    result_.right[index] = place(right, depth + 1, child(2 * key + 1));
    result_.nodes[index] = record;
    return index;
  }

  [[nodiscard]] static std::uint32_t child(std::uint32_t key) { return mix(key + 0x9e3779b9U); }
  [[nodiscard]] static std::uint32_t mix(std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ x >> 16;
  }

  [[nodiscard]] bool stops(const Rows& rows, const NodeRecord& record) const {
    std::set<double> answers;
    for (const Row& row : rows) {
      answers.insert(classes() > 0 ? problem_.targets.labels[row.row] : problem_.targets.values[row.row]);
    }
    return answers.size() < 2 || record.depth >= job_.max_depth || record.samples < job_.min_samples_split ||
           record.samples < 2 * std::int64_t{job_.rule.min_samples_leaf} ||
           static_cast<double>(record.weight) < 2 * (job_.rule.min_weight_leaf * weights().scale);
  }

  [[nodiscard]] Split best_split(const Rows& rows, std::uint32_t key) const {
    std::vector<std::int32_t> order(static_cast<std::size_t>(features()));
    std::iota(order.begin(), order.end(), 0);
    for (std::uint32_t i = 0; i < order.size() && job_.rule.max_features < features(); ++i) {
      std::swap(order[i], order[i + ((std::uint64_t{bits(1, key, i)} * (order.size() - i)) >> 32)]);
    }
    Split best;
    bool varied = false;
    for (std::int32_t i = 0; i < features() && (i < job_.rule.max_features || !varied); ++i) {
      varied = try_feature(rows, order[i], key, best) || varied;
    }
    return best;
  }

  [[nodiscard]] std::set<std::int32_t> bins_of(const Rows& rows, std::int32_t f) const {
    std::set<std::int32_t> bins;
    for (const Row& row : rows) bins.insert(problem_.data.bin(row.row, f));
    return bins;
  }

  /// Tries the feature's splits; returns whether it varies.
  bool try_feature(const Rows& rows, std::int32_t f, std::uint32_t key, Split& best) const {
    std::set<std::int32_t> bins = bins_of(rows, f);
    if (bins.size() < 2) return false;
    const bool missing = bins.erase(problem_.data.edges.bins(f)) > 0;
    const std::int32_t last = *bins.rbegin();
    if (job_.rule.random_thresholds) {
      Split split{0, f, 0, last};
      if (bins.size() > 1) {
        const double t = formulas::forest_random_threshold(upper(f, *bins.begin()), upper(f, last),
                                                           bits(2, key, static_cast<std::uint64_t>(f)));
        split.bin = 0;
        while (static_cast<double>(upper(f, split.bin + 1)) <= t) ++split.bin;
        if (missing) split.direction = bits(2, key, static_cast<std::uint64_t>(features() + f)) & 1U;
      }
      offer(rows, key, split, best);
      return true;
    }
    for (const std::int32_t bin : bins) {
      if (bin != last || missing) offer(rows, key, {0, f, 0, bin}, best);
      if (bin != last && missing) offer(rows, key, {0, f, 1, bin}, best);
    }
    return true;
  }

  [[nodiscard]] std::pair<Rows, Rows> divide(const Rows& rows, const Split& split) const {
    std::pair<Rows, Rows> sides;
    for (const Row& row : rows) {
      const std::int32_t bin = problem_.data.bin(row.row, split.feature);
      const bool left = is_missing(bin, split.feature) ? split.direction == 1 : bin <= split.bin;
      (left ? sides.first : sides.second).push_back(row);
    }
    return sides;
  }

  void offer(const Rows& rows, std::uint32_t key, Split split, Split& best) const {
    const auto [left_rows, right_rows] = divide(rows, split);
    const Numbers numbers = numbers_of(rows);
    const Sums left = sums_of(left_rows, numbers);
    const Sums right = sums_of(right_rows, numbers);
    const double least_weight = job_.rule.min_weight_leaf * weights().scale;
    for (const Sums& side : {left, right}) {
      if (side.rows == 0 || side.rows < job_.rule.min_samples_leaf) return;
      if (static_cast<double>(side.weight) < least_weight) return;
      if (job_.rule.criterion == Criterion::poisson && !(total(side, numbers) > 0)) return;
    }
    split.score = score(left, right, numbers);
    const auto seed_low = static_cast<std::uint32_t>(job_.seed);
    const auto seed_high = static_cast<std::uint32_t>(job_.seed >> 32);
    const std::uint32_t salt = mix(mix(mix(seed_low) + seed_high) + tree_) + key;
    split.tie = mix(salt + static_cast<std::uint32_t>(split.feature) * 0x9e3779b9U) >> 8;
    const auto order = [](const Split& s) { return std::tuple(-s.score, s.tie, s.feature, s.direction, s.bin); };
    if (best.feature < 0 || order(split) < order(best)) best = split;
  }

  [[nodiscard]] static double total(const Sums& side, const Numbers& numbers) {
    return numbers.low * side.weight + static_cast<double>(side.sum) / numbers.scale;
  }

  [[nodiscard]] double score(const Sums& left, const Sums& right, const Numbers& numbers) const {
    const double l = left.weight;
    const double r = right.weight;
    const std::int64_t centre = (left.sum + right.sum) / (std::int64_t{left.weight} + right.weight);
    const auto s = static_cast<double>(left.sum - left.weight * centre);
    const auto t = static_cast<double>(right.sum - right.weight * centre);
    const auto xlog2 = [](std::uint32_t x) { return x == 0 ? 0.0 : x * formulas::forest_log2(x); };
    switch (job_.rule.criterion) {
      case Criterion::gini: {
        const auto squares = [](const Sums& side) {
          std::uint64_t sum = 0;
          for (const std::uint64_t weight : side.classes) sum += weight * weight;
          return static_cast<double>(sum);
        };
        return squares(left) / l + squares(right) / r;
      }
      case Criterion::entropy: {
        const auto logs = [&](const Sums& side) {
          double sum = 0;
          for (const std::uint32_t weight : side.classes) sum += xlog2(weight);
          return sum - xlog2(side.weight);
        };
        return logs(left) + logs(right);
      }
      case Criterion::squared_error: return s * s / l + t * t / r;
      case Criterion::friedman_mse: return (s * r - t * l) * (s * r - t * l) / (l * r);
      case Criterion::poisson: {
        const double a = total(left, numbers);
        const double b = total(right, numbers);
        return a * formulas::forest_log2(a / l) + b * formulas::forest_log2(b / r);
      }
    }
    return 0;
  }

  /// What the record says of a split.
  void describe(const Rows& rows, const Rows& left, const Rows& right, const Split& split, NodeRecord& record) const {
    const std::int32_t f = split.feature;
    const std::int32_t end = problem_.data.edges.bins(f);
    const auto values = [&](const Rows& of) {
      std::set<std::int32_t> bins = bins_of(of, f);
      bins.erase(end);
      return bins;
    };
    const std::set<std::int32_t> left_bins = values(left);
    const std::set<std::int32_t> right_bins = values(right);
    const bool random = job_.rule.random_thresholds;
    const std::int32_t low = random ? *left_bins.begin() : *left_bins.rbegin();
    std::int32_t high = 0xffff;
    std::int32_t cut = end - 1;
    if (!right_bins.empty()) {
      high = random ? *right_bins.rbegin() : *right_bins.begin();
      cut = split.bin;
      const double middle = formulas::forest_middle(upper(f, low), lower(f, high));
      for (std::int32_t bin = 0; bin < end && !random; ++bin) {
        if (static_cast<double>(upper(f, bin)) <= middle) cut = bin;
      }
    }
    std::int32_t nan_left = split.direction;
    if (!bins_of(rows, f).contains(end)) nan_left = left.size() > right.size() ? 1 : 0;
    record.feature = f;
    record.between = static_cast<std::uint32_t>(low) | static_cast<std::uint32_t>(high) << 16;
    record.cut = static_cast<std::uint32_t>(cut) | static_cast<std::uint32_t>(nan_left) << 16;
  }

  const Problem& problem_;
  const ForestJob& job_;
  std::uint32_t tree_;
  GrownTree result_;
};

/// Tree number `tree` of `job`. Recursive and slow: for small problems.
[[nodiscard]] inline GrownTree grow_oracle_tree(const Problem& problem, const ForestJob& job, std::int32_t tree) {
  return OracleGrower(problem, job, tree).grow();
}

/// Each impurity must be right by its own size. `expected`: of grow_oracle_tree.
inline void expect_near_impurities(const GrownTree& grown, const GrownTree& expected) {
  ASSERT_EQ(grown.impurities.size(), expected.impurities.size());
  for (std::size_t i = 0; i < grown.impurities.size(); ++i) {
    ASSERT_NEAR(grown.impurities[i], expected.impurities[i], 1e-11 * expected.impurities[i]) << "node " << i;
  }
}

}  // namespace overtake::forest::testing
