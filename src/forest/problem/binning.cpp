// SPDX-License-Identifier: MIT
#include "forest/problem/binning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/checked.hpp"
#include "core/parallel.hpp"
#include "forest/problem/find_edges.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

constexpr std::int64_t block_rows = 256;
constexpr std::int64_t rows_per_task = 64 * block_rows;
constexpr std::int64_t values_worth_a_thread = 1 << 15;

/// Finds infinite values and the features with missing ones.
class Scan {
 public:
  Scan(std::span<const float> inputs, std::int32_t features, std::size_t threads)
      : inputs_(inputs), features_(features), missing_(threads, std::vector<std::uint8_t>(features)) {}

  void look(std::int64_t begin, std::int64_t end, std::size_t thread) {
    std::vector<std::uint8_t>& missing = missing_[thread];
    for (std::int64_t row = begin; row < end; ++row) {
      const float* values = inputs_.data() + row * features_;
      for (std::int32_t feature = 0; feature < features_; ++feature) {
        if (std::fabs(values[feature]) <= std::numeric_limits<float>::max()) continue;
        if (!std::isnan(values[feature])) return note_infinite(row * features_ + feature);
        missing[feature] = 1;
      }
    }
  }

  [[nodiscard]] std::vector<std::uint8_t> missing() const {
    if (infinite_ != none) {
      throw DataError(fmt::format("row {}, feature {} is infinite; expected finite numbers or missing values",
                                  infinite_ / features_, infinite_ % features_),
                      "Rows and features are counted from 0. Replace the value, or leave it out as missing.");
    }
    std::vector<std::uint8_t> result(features_);
    for (const auto& part : missing_) {
      for (std::int32_t feature = 0; feature < features_; ++feature) result[feature] |= part[feature];
    }
    return result;
  }

 private:
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

  void note_infinite(std::int64_t at) {
    std::int64_t before = infinite_.load();
    while (at < before && !infinite_.compare_exchange_weak(before, at)) {
    }
  }

  std::span<const float> inputs_;
  std::int32_t features_;
  std::vector<std::vector<std::uint8_t>> missing_;
  std::atomic<std::int64_t> infinite_{none};
};

/// Puts rows into bins, and for features that were sampled finds the true edges.
template <typename Word>
class Assignment {
 public:
  Assignment(std::span<const float> inputs, const BinEdges& edges, const std::vector<std::uint8_t>& sampled,
             std::int32_t stride, std::vector<Word>& words, std::size_t threads)
      : inputs_(inputs), edges_(edges), sampled_(sampled), stride_(stride), words_(words) {
    if (std::find(sampled.begin(), sampled.end(), 1) == sampled.end()) return;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    lower_.assign(threads, std::vector<float>(edges.lower.size(), infinity));
    upper_.assign(threads, std::vector<float>(edges.lower.size(), -infinity));
  }

  void assign(std::int64_t begin, std::int64_t end, std::size_t thread) {
    for (std::int64_t row = begin; row < end; row += block_rows) {
      const std::int64_t rows = std::min(block_rows, end - row);
      for (std::int32_t feature = 0; feature < edges_.features; ++feature) assign_block(row, rows, feature, thread);
    }
  }

  /// The true edges of the sampled features.
  void widen(BinEdges& edges) const {
    for (std::int32_t feature = 0; feature < edges.features; ++feature) {
      if (sampled_[feature] == 0) continue;
      for (std::int32_t bin = edges.first[feature]; bin < edges.first[feature + 1]; ++bin) {
        for (const auto& part : lower_) edges.lower[bin] = std::min(edges.lower[bin], part[bin]);
        for (const auto& part : upper_) edges.upper[bin] = std::max(edges.upper[bin], part[bin]);
      }
    }
  }

 private:
  /// The last bin that begins at or below each value (the first for values below all), found for all rows of the block
  /// step by step, so that their searches overlap.
  void assign_block(std::int64_t row, std::int64_t rows, std::int32_t feature, std::size_t thread) {
    std::array<float, block_rows> values;
    std::array<std::int32_t, block_rows> bins{};
    for (std::int64_t i = 0; i < rows; ++i) values[i] = inputs_[(row + i) * edges_.features + feature];
    const std::int32_t first = edges_.first[feature];
    const float* begin = edges_.lower.data() + first;
    for (std::int32_t length = edges_.bins(feature); length > 1;) {
      const std::int32_t half = length / 2;
      for (std::int64_t i = 0; i < rows; ++i)
        bins[i] += half & -static_cast<std::int32_t>(begin[bins[i] + half] <= values[i]);
      length -= half;
    }
    if (edges_.has_missing[feature] != 0) {
      for (std::int64_t i = 0; i < rows; ++i) bins[i] = std::isnan(values[i]) ? edges_.bins(feature) : bins[i];
    }
    Word* words = words_.data() + row * stride_ + feature;
    for (std::int64_t i = 0; i < rows; ++i) words[i * stride_] = static_cast<Word>(bins[i]);
    if (sampled_[feature] == 0) return;
    for (std::int64_t i = 0; i < rows; ++i) {
      if (std::isnan(values[i])) continue;
      float& lower = lower_[thread][first + bins[i]];
      float& upper = upper_[thread][first + bins[i]];
      lower = std::min(lower, values[i]);
      upper = std::max(upper, values[i]);
    }
  }

  std::span<const float> inputs_;
  const BinEdges& edges_;
  const std::vector<std::uint8_t>& sampled_;
  std::int64_t stride_;
  std::vector<Word>& words_;
  std::vector<std::vector<float>> lower_, upper_;  // by thread
};

/// Calls work(first row, row after the last, thread) for all rows.
template <typename Work>
void for_rows(std::int64_t rows, int threads, const Work& work) {
  parallel_for(static_cast<std::size_t>((rows + rows_per_task - 1) / rows_per_task), threads,
               [&](std::size_t task, std::size_t thread) {
                 const std::int64_t begin = static_cast<std::int64_t>(task) * rows_per_task;
                 work(begin, std::min(rows, begin + rows_per_task), thread);
               });
}

/// Puts the bins of all features into one list; returns which of them were sampled.
std::vector<std::uint8_t> join(const std::vector<ColumnBins>& columns, BinEdges& edges) {
  std::vector<std::uint8_t> sampled;
  edges.first.assign(1, 0);
  for (const ColumnBins& column : columns) {
    edges.lower.insert(edges.lower.end(), column.lower.begin(), column.lower.end());
    edges.upper.insert(edges.upper.end(), column.upper.begin(), column.upper.end());
    edges.first.push_back(narrow<std::int32_t>(edges.lower.size(), "the number of bins"));
    edges.distinct.push_back(column.distinct);
    edges.inexact += column.exact ? 0 : 1;
    sampled.push_back(column.sampled ? 1 : 0);
  }
  return sampled;
}

template <typename Word>
void fill_words(std::span<const float> inputs, const std::vector<std::uint8_t>& sampled, int threads, BinnedData& data,
                std::vector<Word>& words) {
  words.assign(checked_mul(static_cast<std::size_t>(data.rows), static_cast<std::size_t>(data.stride)), 0);
  Assignment<Word> assignment(inputs, data.edges, sampled, data.stride, words, static_cast<std::size_t>(threads));
  for_rows(data.rows, threads,
           [&](std::int64_t begin, std::int64_t end, std::size_t thread) { assignment.assign(begin, end, thread); });
  assignment.widen(data.edges);
}

}  // namespace

std::int32_t BinEdges::widest() const noexcept {
  std::int32_t most = 0;
  for (std::int32_t feature = 0; feature < features; ++feature) {
    most = std::max(most, bins(feature) + has_missing[feature]);
  }
  return most;
}

BinnedData bin_features(std::span<const float> inputs, std::int64_t rows, std::int32_t features, int max_bins,
                        int threads) {
  if (rows < 0 || features < 0 || inputs.size() != checked_mul<std::size_t>(rows, features)) {
    throw UsageError(fmt::format("{} values are not {} rows of {} features", inputs.size(), rows, features));
  }
  if (max_bins < 2 || max_bins > 65535) {
    throw UsageError(fmt::format("max_bins: {} is not accepted; expected a whole number from 2 to 65535", max_bins));
  }
  const std::int64_t useful = static_cast<std::int64_t>(inputs.size()) / values_worth_a_thread;
  threads = static_cast<int>(std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(useful, 1)));

  BinnedData data;
  data.rows = rows;
  data.stride = (features + 3) / 4 * 4;
  data.edges.features = features;
  Scan scan(inputs, features, static_cast<std::size_t>(threads));
  for_rows(rows, threads,
           [&](std::int64_t begin, std::int64_t end, std::size_t thread) { scan.look(begin, end, thread); });
  data.edges.has_missing = scan.missing();
  const std::vector<std::uint8_t> sampled = join(find_edges(inputs, rows, features, max_bins, threads), data.edges);
  data.wide = data.edges.widest() > 256;
  if (data.wide) {
    fill_words(inputs, sampled, threads, data, data.words);
  } else {
    fill_words(inputs, sampled, threads, data, data.bytes);
  }
  return data;
}

}  // namespace overtake::forest
