// SPDX-License-Identifier: MIT
#include "forest/column_bins.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace overtake::forest {
namespace {

constexpr float same_value = 1e-7F;  // scikit-learn's FEATURE_THRESHOLD, added in float32 as there

/// Keys in ascending order, read as values.
struct SortedValues {
  std::span<const std::uint32_t> keys;

  [[nodiscard]] std::size_t size() const { return keys.size(); }
  [[nodiscard]] float operator[](std::size_t i) const {
    const std::uint32_t key = keys[i];
    return std::bit_cast<float>((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key);
  }
  /// Where the values that count as the one at `begin` end.
  [[nodiscard]] std::size_t group_end(std::size_t begin) const {
    std::size_t end = begin + 1;
    while (end < size() && (keys[end] == keys[end - 1] || (*this)[end] <= (*this)[end - 1] + same_value)) ++end;
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

/// Each bin ends where it comes nearest to its share of the rows that are left.
void cut_quantiles(const SortedValues& values, std::uint64_t max_bins, ColumnBins& bins) {
  std::uint64_t left = max_bins;
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    bins.lower.push_back(values[begin]);
    bins.upper.push_back(values[end - 1]);
    begin = end;
    --left;
  };
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t end = values.group_end(at);
    const std::uint64_t without = at - begin;
    const std::uint64_t with = end - begin;
    if (without > 0 && left > 1 && (without + with) * left > 2 * (values.size() - begin)) close(at);
    at = end;
  }
  close(values.size());
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
  std::int32_t groups = 0;
  for (std::size_t at = 0; at < values.size() && groups <= max_bins; ++groups) at = values.group_end(at);
  ColumnBins bins;
  bins.exact = groups <= max_bins;
  if (bins.exact) {
    cut_exact(values, bins);
  } else {
    cut_quantiles(values, static_cast<std::uint64_t>(max_bins), bins);
  }
  return bins;
}

}  // namespace overtake::forest
