// SPDX-License-Identifier: MIT
// The best split of a node on the CPU: histograms over bins for many rows, a sorted sweep for few. Sums are whole
// numbers, so both give the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forest/grow/formulas.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// A row of a tree. `number` is its target as a whole number of its node, `label` its class.
struct ClassEntry {
  std::uint32_t row, weight, label;
};
struct NumberEntry {
  std::uint32_t row, weight;
  std::int64_t number;
};

/// What is known of a node before it is split.
struct NodeTotals {
  std::uint32_t weight = 0;
  std::int32_t samples = 0;
  std::int64_t sum = 0;                          ///< regression: of weight * number
  double low = 0, scale = 1;                     ///< regression: target = low + number / scale
  std::span<const std::uint32_t> class_weights;  ///< classification
};

/// A split that may be the best. `place` (forest_place) is FOREST_NO_PLACE where none was found.
struct SplitChoice {
  double score = 0;
  std::uint64_t place = FOREST_NO_PLACE;
};

/// Looks for splits of one feature after the other. One for each thread; `Entry` is ClassEntry or NumberEntry.
template <typename Entry>
class SplitFinder {
 public:
  explicit SplitFinder(const Problem& problem);

  /// To be called before the nodes of another tree.
  void set_tree(const JobRow& job, std::int32_t tree);
  /// To be called before the features of another node.
  void set_node(std::span<const Entry> rows, const NodeTotals& totals, std::uint32_t key);
  /// Takes the best split of `feature` into `best` if it is better. Returns whether the feature is not constant.
  bool look(std::int32_t feature, SplitChoice& best);

 private:
  /// What is left of a cut. The right side is the node's total less this.
  struct Side {
    std::uint32_t weight = 0;
    std::int32_t samples = 0;
    std::int64_t sum = 0;
    std::uint64_t squares = 0, other_squares = 0;  // gini: of the left and of the right side
  };

  void count(std::int32_t feature);
  void count_few(std::int32_t feature);
  void count_many(std::int32_t feature, std::uint32_t bins);
  void clear();
  void sweep(std::int32_t feature, std::uint32_t missing, bool missing_left, SplitChoice& best);
  void try_random(std::int32_t feature, std::uint32_t missing, SplitChoice& best);
  void begin_side(Side& side);
  void add(Side& side, std::uint32_t bin);
  void offer(const Side& side, std::uint64_t place, SplitChoice& best) const;
  [[nodiscard]] double score(const Side& side) const;
  /// The sum of weight * target of a side.
  [[nodiscard]] double total(std::int64_t sum, std::uint32_t weight) const;

  const Problem& problem_;
  JobRow job_{};
  std::int32_t tree_ = 0;
  std::size_t classes_;
  std::span<const Entry> rows_;
  NodeTotals totals_;
  std::uint32_t key_ = 0;
  std::uint64_t total_squares_ = 0;
  std::int64_t centre_ = 0;     // of the node's numbers
  std::uint32_t tie_salt_ = 0;  // of the node
  std::uint32_t tie_ = 0;       // of the feature
  // By bin, all 0 between two features.
  std::vector<std::uint32_t> weights_;
  std::vector<std::int32_t> samples_;
  std::vector<std::uint32_t> class_weights_;  // bin x class
  std::vector<std::int64_t> sums_;
  std::vector<std::uint32_t> present_;  // bins with rows, ascending
  std::vector<std::uint32_t> left_;     // class weights left of the cut
};

extern template class SplitFinder<ClassEntry>;
extern template class SplitFinder<NumberEntry>;

/// Bin of one row.
[[nodiscard]] inline std::uint32_t bin_at(const BinnedData& data, std::uint32_t row, std::int32_t feature) noexcept {
  const std::size_t at =
      static_cast<std::size_t>(row) * static_cast<std::size_t>(data.stride) + static_cast<std::size_t>(feature);
  return data.wide ? data.words[at] : data.bytes[at];
}

}  // namespace overtake::forest
