// SPDX-License-Identifier: MIT
#include "forest/problem/column_bins.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace overtake::forest {
namespace {

/// Keys in ascending order, read as values.
struct SortedValues {
  std::span<const std::uint32_t> keys;

  [[nodiscard]] std::size_t size() const { return keys.size(); }
  [[nodiscard]] float operator[](std::size_t i) const {
    const std::uint32_t key = keys[i];
    return std::bit_cast<float>((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
  }
  /// Where the values equal to the one at `begin` end.
  [[nodiscard]] std::size_t group_end(std::size_t begin) const {
    std::size_t end = begin + 1;
    while (end < size() && keys[end] == keys[begin]) ++end;
    return end;
  }
};

/// Radix sort, 11 bits at a time. Returns where the sorted keys are: `keys` or `scratch`.
std::span<std::uint32_t> sort_keys(std::span<std::uint32_t> keys, std::vector<std::uint32_t>& scratch) {
  constexpr std::size_t few = 4096;
  if (keys.size() < few) {
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  constexpr std::uint32_t digit_bits = 11;
  constexpr std::uint32_t digits = 1U << digit_bits;
  scratch.resize(std::max(scratch.size(), keys.size()));
  std::span<std::uint32_t> from = keys;
  std::span<std::uint32_t> to(scratch.data(), keys.size());
  for (std::uint32_t shift = 0; shift < 32; shift += digit_bits) {
    std::array<std::uint32_t, digits> begin{};
    for (const std::uint32_t key : from) ++begin[key >> shift & (digits - 1)];
    if (begin[from.front() >> shift & (digits - 1)] == from.size()) continue;
    std::uint32_t sum = 0;
    for (std::uint32_t& count : begin) sum += std::exchange(count, sum);
    for (const std::uint32_t key : from) to[begin[key >> shift & (digits - 1)]++] = key;
    std::swap(from, to);
  }
  return from;
}

void cut_exact(const SortedValues& values, ColumnBins& bins) {
  for (std::size_t begin = 0; begin < values.size();) {
    const std::size_t end = values.group_end(begin);
    bins.lower.push_back(values[begin]);
    bins.upper.push_back(values[end - 1]);
    begin = end;
  }
}

/// Where a distinct value begins that a wide gap or its place beyond one parts from the value before it, ascending.
/// A gap is wide when it exceeds an eighth of the distance between the rows at the ends of the core, which is all but
/// two bins' share of the rows at either end. Beyond a wide gap among the outermost max_bins / 8 distinct values of an
/// end every value is parted; within, only the widest max_bins / 8 gaps part. Powers of two change nothing: differences
/// of floats are compared in double.
class Partings {
 public:
  Partings(const SortedValues& values, std::span<const std::size_t> groups, std::size_t max_bins)
      : values_(values), groups_(groups), most_(std::min(max_bins / 8, groups.size() / 4)) {
    const std::size_t tail = std::min(values.size() / 4, 2 * values.size() / max_bins);
    wide_ = (static_cast<double>(values[values.size() - 1 - tail]) - static_cast<double>(values[tail])) / 8;
  }

  [[nodiscard]] std::vector<std::size_t> find() const {
    std::size_t low = 0;                // groups 1 .. low are parted
    std::size_t high = groups_.size();  // and groups high ..
    for (std::size_t i = 1; i <= most_; ++i) {
      if (gap(i) > wide_) low = i;
      if (gap(groups_.size() - i) > wide_) high = groups_.size() - i;
    }
    std::vector<std::size_t> within;
    for (std::size_t i = low + 1; i < high; ++i) {
      if (gap(i) > wide_) within.push_back(i);
    }
    std::stable_sort(within.begin(), within.end(), [&](std::size_t a, std::size_t b) { return gap(a) > gap(b); });
    within.resize(std::min(within.size(), most_));
    std::vector<std::size_t> partings;
    for (std::size_t i = 1; i <= low; ++i) partings.push_back(groups_[i]);
    for (const std::size_t i : within) partings.push_back(groups_[i]);
    for (std::size_t i = high; i < groups_.size(); ++i) partings.push_back(groups_[i]);
    std::sort(partings.begin(), partings.end());
    return partings;
  }

 private:
  /// Between the distinct value number i and the one before it.
  [[nodiscard]] double gap(std::size_t i) const {
    return static_cast<double>(values_[groups_[i]]) - static_cast<double>(values_[groups_[i - 1]]);
  }

  const SortedValues& values_;
  std::span<const std::size_t> groups_;  // where each distinct value begins
  std::size_t most_;
  double wide_ = 0;
};

/// Each bin ends where it comes nearest to its share of the rows that are left, and at every parting.
void cut_quantiles(const SortedValues& values, std::span<const std::size_t> partings, std::size_t max_bins,
                   ColumnBins& bins) {
  const auto close = [&](std::size_t begin, std::size_t end) {
    bins.lower.push_back(values[begin]);
    bins.upper.push_back(values[end - 1]);
  };
  std::vector<std::size_t> ends(partings.begin(), partings.end());
  ends.push_back(values.size());
  std::uint64_t free = max_bins - ends.size();  // cuts to be made beside the partings
  std::uint64_t open = 0;                       // stretches of several values still to come, and their rows
  std::uint64_t rows = 0;
  const auto for_each_stretch = [&](const auto& visit) {
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      visit(begin, end, values.group_end(begin) < end);
      begin = end;
    }
  };
  for_each_stretch([&](std::size_t begin, std::size_t end, bool several) {
    open += several ? 1 : 0;
    rows += several ? end - begin : 0;
  });
  for_each_stretch([&](std::size_t begin, std::size_t end, bool several) {
    if (!several) return close(begin, end);
    for (std::size_t at = begin; at < end;) {
      const std::size_t next = values.group_end(at);
      if (at > begin && free > 0 && (at - begin + next - begin) * (free + open) > 2 * rows) {
        close(begin, at);
        rows -= at - begin;
        begin = at;
        --free;
      }
      at = next;
    }
    close(begin, end);
    rows -= end - begin;
    --open;
  });
}

}  // namespace

std::optional<std::vector<std::uint32_t>> few_distinct(const float* first, std::int64_t rows, std::int64_t step,
                                                       std::int32_t most) {
  std::vector<std::uint32_t> keys;
  const std::size_t slots = std::bit_ceil(static_cast<std::size_t>(most) * 4);
  std::vector<std::uint32_t> table(slots, missing_key);  // marks an empty slot
  std::uint32_t previous = missing_key;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::uint32_t key = key_of(first[row * step]);
    if (key == missing_key || key == previous) continue;
    previous = key;
    std::size_t slot = (key * std::size_t{0x9E3779B97F4A7C15} >> 32) & (slots - 1);
    while (table[slot] != missing_key && table[slot] != key) slot = (slot + 1) & (slots - 1);
    if (table[slot] == key) continue;
    if (keys.size() == static_cast<std::size_t>(most)) return std::nullopt;
    table[slot] = key;
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

ColumnBins column_bins(std::span<std::uint32_t> keys, std::int32_t max_bins, std::vector<std::uint32_t>& scratch) {
  const std::span<std::uint32_t> sorted = sort_keys(keys, scratch);
  const auto missing = std::lower_bound(sorted.begin(), sorted.end(), missing_key);
  const SortedValues values{sorted.first(static_cast<std::size_t>(missing - sorted.begin()))};
  std::vector<std::size_t> groups;
  for (std::size_t at = 0; at < values.size(); at = values.group_end(at)) groups.push_back(at);
  const auto most = static_cast<std::size_t>(max_bins);
  ColumnBins bins;
  bins.distinct = static_cast<std::int64_t>(groups.size());
  bins.exact = groups.size() <= most;
  if (bins.exact) {
    cut_exact(values, bins);
  } else {
    cut_quantiles(values, Partings(values, groups, most).find(), most, bins);
  }
  return bins;
}

}  // namespace overtake::forest
