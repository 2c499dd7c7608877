// SPDX-License-Identifier: MIT
#include "forest/host/split.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "forest/grow/formulas.hpp"

namespace overtake::forest {
namespace {

/// x log2 x with the small ones looked up.
double xlog2(std::uint32_t x) {
  static const auto table = [] {
    std::array<double, 4096> values{};
    for (std::uint32_t i = 0; i < values.size(); ++i) values[i] = formulas::forest_xlog2(i);
    return values;
  }();
  return x < table.size() ? table[x] : formulas::forest_xlog2(x);
}

template <typename Entry>
constexpr bool is_class = std::is_same_v<Entry, ClassEntry>;

}  // namespace

template <typename Entry>
SplitFinder<Entry>::SplitFinder(const Problem& problem)
    : problem_(problem), classes_(static_cast<std::size_t>(problem.targets.classes)) {
  const auto bins = static_cast<std::size_t>(problem.data.edges.widest());
  weights_.resize(bins);
  samples_.resize(bins);
  if constexpr (is_class<Entry>) {
    class_weights_.resize(bins * classes_);
    left_.resize(classes_);
  } else {
    sums_.resize(bins);
  }
}

template <typename Entry>
void SplitFinder<Entry>::set_tree(const JobRow& job, std::int32_t tree) {
  job_ = job;
  tree_ = tree;
}

template <typename Entry>
void SplitFinder<Entry>::set_node(std::span<const Entry> rows, const NodeTotals& totals, std::uint32_t key) {
  rows_ = rows;
  totals_ = totals;
  key_ = key;
  tie_salt_ = formulas::forest_tie_salt(job_.seed_low, job_.seed_high, static_cast<std::uint32_t>(tree_), key);
  centre_ = formulas::forest_centre(totals.sum, totals.weight);
  total_squares_ = 0;
  for (const std::uint32_t weight : totals.class_weights) total_squares_ += std::uint64_t{weight} * weight;
}

template <typename Entry>
void SplitFinder<Entry>::count_few(std::int32_t feature) {
  for (const Entry& entry : rows_) {
    const std::uint32_t bin = bin_at(problem_.data, entry.row, feature);
    if (samples_[bin]++ == 0) present_.push_back(bin);
    weights_[bin] += entry.weight;
    if constexpr (is_class<Entry>) {
      class_weights_[bin * classes_ + entry.label] += entry.weight;
    } else {
      sums_[bin] += static_cast<std::int64_t>(entry.weight) * entry.number;
    }
  }
  std::sort(present_.begin(), present_.end());
}

template <typename Entry>
void SplitFinder<Entry>::count_many(std::int32_t feature, std::uint32_t bins) {
  const bool needs_samples = job_.min_leaf > 1;
  const auto pass = [&](const auto* data) {
    const auto stride = static_cast<std::size_t>(problem_.data.stride);
    const auto* column = data + feature;
    for (const Entry& entry : rows_) {
      const std::uint32_t bin = column[entry.row * stride];
      if constexpr (is_class<Entry>) {
        class_weights_[bin * classes_ + entry.label] += entry.weight;
      } else {
        weights_[bin] += entry.weight;
        sums_[bin] += static_cast<std::int64_t>(entry.weight) * entry.number;
      }
      if (needs_samples) ++samples_[bin];
    }
  };
  problem_.data.wide ? pass(problem_.data.words.data()) : pass(problem_.data.bytes.data());
  for (std::uint32_t bin = 0; bin < bins; ++bin) {
    if constexpr (is_class<Entry>) {
      std::uint32_t weight = 0;
      for (std::size_t c = 0; c < classes_; ++c) weight += class_weights_[bin * classes_ + c];
      weights_[bin] = weight;
    }
    if (weights_[bin] > 0) present_.push_back(bin);
  }
}

template <typename Entry>
void SplitFinder<Entry>::count(std::int32_t feature) {
  const std::uint32_t bins = static_cast<std::uint32_t>(problem_.data.edges.bins(feature)) + 1;
  present_.clear();
  if (rows_.size() * 2 < bins) {
    count_few(feature);
  } else {
    count_many(feature, std::min<std::uint32_t>(bins, static_cast<std::uint32_t>(weights_.size())));
  }
}

template <typename Entry>
void SplitFinder<Entry>::clear() {
  for (const std::uint32_t bin : present_) {
    weights_[bin] = 0;
    samples_[bin] = 0;
    if constexpr (is_class<Entry>) {
      std::fill_n(class_weights_.begin() + static_cast<std::ptrdiff_t>(bin * classes_), classes_, 0U);
    } else {
      sums_[bin] = 0;
    }
  }
}

template <typename Entry>
void SplitFinder<Entry>::begin_side(Side& side) {
  side = {};
  if constexpr (is_class<Entry>) {
    std::fill(left_.begin(), left_.end(), 0U);
    side.other_squares = total_squares_;
  }
}

template <typename Entry>
void SplitFinder<Entry>::add(Side& side, std::uint32_t bin) {
  side.weight += weights_[bin];
  side.samples += samples_[bin];
  if constexpr (is_class<Entry>) {
    const std::uint32_t* of_bin = &class_weights_[bin * classes_];
    for (std::size_t c = 0; c < classes_; ++c) {
      const std::uint64_t moved = of_bin[c];
      if (moved == 0) continue;
      const std::uint64_t right = totals_.class_weights[c] - left_[c];
      side.squares += moved * (2 * std::uint64_t{left_[c]} + moved);
      side.other_squares -= moved * (2 * right - moved);
      left_[c] += static_cast<std::uint32_t>(moved);
    }
  } else {
    side.sum += sums_[bin];
  }
}

template <typename Entry>
double SplitFinder<Entry>::total(std::int64_t sum, std::uint32_t weight) const {
  return formulas::forest_total(totals_.low, totals_.scale, sum, weight);
}

template <typename Entry>
double SplitFinder<Entry>::score(const Side& side) const {
  const std::uint32_t left = side.weight;
  const std::uint32_t right = totals_.weight - left;
  if constexpr (is_class<Entry>) {
    if (job_.criterion == formulas::CRITERION_GINI) {
      return formulas::forest_gini(side.squares, side.other_squares, left, right);
    }
    double left_logs = 0;
    double right_logs = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      left_logs += xlog2(left_[c]);
      right_logs += xlog2(totals_.class_weights[c] - left_[c]);
    }
    return formulas::forest_entropy(left_logs, right_logs, left, right);
  } else {
    const std::int64_t other = totals_.sum - side.sum;
    switch (job_.criterion) {
      case formulas::CRITERION_FRIEDMAN: return formulas::forest_friedman(side.sum, other, left, right, centre_);
      case formulas::CRITERION_POISSON:
        return formulas::forest_poisson(total(side.sum, left), total(other, right), left, right);
      default: return formulas::forest_squared_error(side.sum, other, left, right, centre_);
    }
  }
}

template <typename Entry>
void SplitFinder<Entry>::offer(const Side& side, std::uint64_t place, SplitChoice& best) const {
  const std::uint32_t right = totals_.weight - side.weight;
  if (side.weight == 0 || right == 0) return;
  if (!formulas::forest_is_allowed(job_, side.weight, right, side.samples, totals_.samples - side.samples)) return;
  if (job_.criterion == formulas::CRITERION_POISSON &&
      !(total(side.sum, side.weight) > 0 && total(totals_.sum - side.sum, right) > 0)) {
    return;
  }
  const double side_score = score(side);
  if (formulas::forest_better(side_score, place, best.score, best.place)) best = {side_score, place};
}

template <typename Entry>
void SplitFinder<Entry>::sweep(std::int32_t feature, std::uint32_t missing, bool missing_left, SplitChoice& best) {
  Side side;
  begin_side(side);
  if (missing_left) add(side, missing);
  for (const std::uint32_t bin : present_) {
    if (bin == missing) break;
    add(side, bin);
    offer(side, formulas::forest_place(tie_, feature, missing_left ? 1U : 0U, bin), best);
  }
}

template <typename Entry>
void SplitFinder<Entry>::try_random(std::int32_t feature, std::uint32_t missing, SplitChoice& best) {
  const bool has_missing = present_.back() == missing;
  const std::uint32_t lowest = present_.front();
  const std::uint32_t highest = has_missing ? present_[present_.size() - 2] : present_.back();
  const BinEdges& edges = problem_.data.edges;
  const std::int32_t first = edges.first[feature];
  const auto draw = [&](std::int32_t index) {
    return formulas::forest_bits(job_.seed_low, job_.seed_high, tree_, FOREST_THRESHOLDS, key_,
                                 static_cast<std::uint32_t>(index));
  };
  std::uint32_t last = lowest;
  std::uint32_t nan_left = 0;
  if (lowest < highest) {
    const double threshold =
        formulas::forest_random_threshold(edges.upper[first + lowest], edges.upper[first + highest], draw(feature));
    const auto begin = edges.upper.begin() + first;
    const auto after = std::upper_bound(begin, begin + missing, threshold,
                                        [](double value, float upper) { return value < static_cast<double>(upper); });
    last = static_cast<std::uint32_t>(after - begin) - 1;
    if (has_missing) nan_left = draw(edges.features + feature) & 1U;
  }
  Side side;
  begin_side(side);
  if (nan_left != 0) add(side, missing);
  for (const std::uint32_t bin : present_) {
    if (bin > last) break;
    add(side, bin);
  }
  offer(side, formulas::forest_place(tie_, feature, nan_left, last), best);
}

template <typename Entry>
bool SplitFinder<Entry>::look(std::int32_t feature, SplitChoice& best) {
  count(feature);
  tie_ = formulas::forest_tie(tie_salt_, static_cast<std::uint32_t>(feature));
  const bool varies = present_.size() > 1;
  if (varies) {
    const auto missing = static_cast<std::uint32_t>(problem_.data.edges.bins(feature));
    if (job_.random != 0) {
      try_random(feature, missing, best);
    } else {
      sweep(feature, missing, false, best);
      if (present_.back() == missing) sweep(feature, missing, true, best);
    }
  }
  clear();
  return varies;
}

template class SplitFinder<ClassEntry>;
template class SplitFinder<NumberEntry>;

}  // namespace overtake::forest
