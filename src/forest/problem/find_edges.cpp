// SPDX-License-Identifier: MIT
#include "forest/problem/find_edges.hpp"

#include <algorithm>
#include <numeric>

#include "core/parallel.hpp"
#include "core/philox.hpp"

namespace overtake::forest {
namespace {

constexpr std::size_t buffer_keys = std::size_t{1} << 26;
constexpr std::size_t rows_per_task = 1 << 14;

/// The sampled rows, ascending.
std::vector<std::int64_t> draw_sample(std::int64_t rows) {
  constexpr std::uint32_t stream = 0x42494E53;
  std::vector<std::int64_t> sample(static_cast<std::size_t>(sample_rows));
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * rows / sample_rows;
    const std::int64_t end = (static_cast<std::int64_t>(i) + 1) * rows / sample_rows;
    const std::uint64_t random = philox::bits(0, stream, 0, i);
    sample[i] = begin + static_cast<std::int64_t>(random * static_cast<std::uint64_t>(end - begin) >> 32);
  }
  return sample;
}

/// Works through the features in groups whose keys fit a buffer: rows are read in order, all features of a group at
/// once, since a row's features lie side by side.
class EdgeFinder {
 public:
  EdgeFinder(std::span<const float> inputs, std::int64_t rows, std::int32_t features, int max_bins, int threads)
      : inputs_(inputs), rows_(rows), features_(features), max_bins_(max_bins), threads_(threads) {}

  [[nodiscard]] std::vector<ColumnBins> find() {
    bins_.resize(static_cast<std::size_t>(features_));
    scratch_.resize(static_cast<std::size_t>(std::max(threads_, 1)));
    std::vector<std::int32_t> open = rows_ > most_sorted_rows ? take_few_distinct() : all_features();
    if (rows_ > most_sorted_rows && !open.empty()) sample_ = draw_sample(rows_);
    keys_each_ = sample_.empty() ? static_cast<std::size_t>(rows_) : sample_.size();
    const std::size_t group = std::max<std::size_t>(1, buffer_keys / std::max<std::size_t>(keys_each_, 1));
    for (std::size_t begin = 0; begin < open.size(); begin += group) {
      cut(std::span(open).subspan(begin, std::min(group, open.size() - begin)));
    }
    return std::move(bins_);
  }

 private:
  [[nodiscard]] std::vector<std::int32_t> all_features() const {
    std::vector<std::int32_t> list(static_cast<std::size_t>(features_));
    std::iota(list.begin(), list.end(), 0);
    return list;
  }

  /// Gives exact bins to the features that can have them; returns the others.
  [[nodiscard]] std::vector<std::int32_t> take_few_distinct() {
    std::vector<std::uint8_t> done(bins_.size(), 0);
    parallel_for(bins_.size(), threads_, [&](std::size_t feature, std::size_t thread) {
      auto keys = few_distinct(inputs_.data() + feature, rows_, features_, max_bins_);
      if (!keys) return;
      bins_[feature] = column_bins(*keys, max_bins_, scratch_[thread]);
      done[feature] = 1;
    });
    std::vector<std::int32_t> open = all_features();
    std::erase_if(open, [&](std::int32_t feature) { return done[feature] != 0; });
    return open;
  }

  void cut(std::span<const std::int32_t> group) {
    keys_.resize(group.size() * keys_each_);
    parallel_for((keys_each_ + rows_per_task - 1) / rows_per_task, threads_, [&](std::size_t task, std::size_t) {
      const std::size_t end = std::min(keys_each_, (task + 1) * rows_per_task);
      for (std::size_t i = task * rows_per_task; i < end; ++i) {
        const std::int64_t row = sample_.empty() ? static_cast<std::int64_t>(i) : sample_[i];
        const float* values = inputs_.data() + row * features_;
        for (std::size_t column = 0; column < group.size(); ++column) {
          keys_[column * keys_each_ + i] = key_of(values[group[column]]);
        }
      }
    });
    parallel_for(group.size(), threads_, [&](std::size_t column, std::size_t thread) {
      ColumnBins& bins = bins_[group[column]];
      bins = column_bins(std::span(keys_).subspan(column * keys_each_, keys_each_), max_bins_, scratch_[thread]);
      bins.sampled = !sample_.empty();
      bins.exact = bins.exact && !bins.sampled;
    });
  }

  std::span<const float> inputs_;
  std::int64_t rows_;
  std::int32_t features_;
  int max_bins_;
  int threads_;
  std::vector<ColumnBins> bins_;
  std::vector<std::int64_t> sample_;  // empty: all rows
  std::size_t keys_each_ = 0;
  std::vector<std::uint32_t> keys_;  // feature after feature
  std::vector<std::vector<std::uint32_t>> scratch_;
};

}  // namespace

std::vector<ColumnBins> find_edges(std::span<const float> inputs, std::int64_t rows, std::int32_t features,
                                   int max_bins, int threads) {
  return EdgeFinder(inputs, rows, features, max_bins, threads).find();
}

}  // namespace overtake::forest
