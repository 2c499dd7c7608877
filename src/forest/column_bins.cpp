// SPDX-License-Identifier: MIT
#include "forest/column_bins.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/philox.hpp"

namespace overtake::forest {
namespace {

constexpr float same_value = 1e-7F;  // scikit-learn's FEATURE_THRESHOLD, added in float32 as there
constexpr std::uint32_t sample_stream = 0x42494E53;

/// Whole numbers in the order of the floats. Both zeros have one key.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

float value_of(std::uint32_t key) { return std::bit_cast<float>((key & 0x80000000U) != 0 ? key & 0x7FFFFFFFU : ~key); }

/// Radix sort, 11 bits at a time.
void sort_keys(std::vector<std::uint32_t>& keys, std::vector<std::uint32_t>& other) {
  constexpr std::size_t few = 4096;
  if (keys.size() < few) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  constexpr std::uint32_t digit_bits = 11;
  constexpr std::uint32_t digits = 1U << digit_bits;
  other.resize(keys.size());
  for (std::uint32_t shift = 0; shift < 32; shift += digit_bits) {
    std::array<std::size_t, digits> begin{};
    for (const std::uint32_t key : keys) ++begin[key >> shift & (digits - 1)];
    if (begin[keys.front() >> shift & (digits - 1)] == keys.size()) continue;
    std::size_t sum = 0;
    for (std::size_t& count : begin) sum += std::exchange(count, sum);
    for (const std::uint32_t key : keys) other[begin[key >> shift & (digits - 1)]++] = key;
    keys.swap(other);
  }
}

/// The keys of the column's values, NaN left out: of all rows, or of one in each of `sample_rows` stretches.
void take_keys(const Column& column, std::int32_t feature, bool sampled, std::vector<std::uint32_t>& keys) {
  keys.clear();
  const auto take = [&](float value) {
    if (!std::isnan(value)) keys.push_back(key_of(value));
  };
  if (!sampled) {
    keys.reserve(static_cast<std::size_t>(column.rows));
    for (std::int64_t row = 0; row < column.rows; ++row) take(column[row]);
    return;
  }
  keys.reserve(static_cast<std::size_t>(sample_rows));
  for (std::int64_t i = 0; i < sample_rows; ++i) {
    const std::int64_t begin = i * column.rows / sample_rows;
    const std::int64_t end = (i + 1) * column.rows / sample_rows;
    const std::uint64_t random =
        philox::bits(0, sample_stream, static_cast<std::uint32_t>(feature), static_cast<std::uint64_t>(i));
    take(column[begin + static_cast<std::int64_t>(random * static_cast<std::uint64_t>(end - begin) >> 32)]);
  }
}

/// Takes the distinct values into `keys`, or returns false when there are more than `most`.
bool take_few_distinct(const Column& column, std::int32_t most, std::vector<std::uint32_t>& keys) {
  keys.clear();
  constexpr std::uint32_t empty = 0xFFFFFFFFU;  // the key of a NaN
  const std::size_t slots = std::bit_ceil(static_cast<std::size_t>(most) * 4);
  std::vector<std::uint32_t> table(slots, empty);
  std::uint32_t previous = empty;
  for (std::int64_t row = 0; row < column.rows; ++row) {
    const float value = column[row];
    if (std::isnan(value)) continue;
    const std::uint32_t key = key_of(value);
    if (key == previous) continue;
    previous = key;
    std::size_t slot = key * std::size_t{0x9E3779B97F4A7C15} >> 32 & (slots - 1);
    while (table[slot] != empty && table[slot] != key) slot = (slot + 1) & (slots - 1);
    if (table[slot] == key) continue;
    if (keys.size() == static_cast<std::size_t>(most)) return false;
    table[slot] = key;
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return true;
}

/// Where the values that count as the one at `begin` end.
std::size_t group_end(const std::vector<float>& sorted, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < sorted.size() && sorted[end] <= sorted[end - 1] + same_value) ++end;
  return end;
}

void cut_exact(const std::vector<float>& sorted, ColumnBins& bins) {
  for (std::size_t begin = 0; begin < sorted.size();) {
    const std::size_t end = group_end(sorted, begin);
    bins.lower.push_back(sorted[begin]);
    bins.upper.push_back(sorted[end - 1]);
    begin = end;
  }
}

/// Each bin ends where it comes nearest to its share of the rows that are left.
void cut_quantiles(const std::vector<float>& sorted, std::uint64_t max_bins, ColumnBins& bins) {
  std::uint64_t left = max_bins;
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    bins.lower.push_back(sorted[begin]);
    bins.upper.push_back(sorted[end - 1]);
    begin = end;
    --left;
  };
  for (std::size_t at = 0; at < sorted.size();) {
    const std::size_t end = group_end(sorted, at);
    const std::uint64_t without = at - begin;
    const std::uint64_t with = end - begin;
    if (without > 0 && left > 1 && (without + with) * left > 2 * (sorted.size() - begin)) close(at);
    at = end;
  }
  close(sorted.size());
}

}  // namespace

ColumnBins column_bins(const Column& column, std::int32_t feature, std::int32_t max_bins, ColumnScratch& scratch) {
  ColumnBins bins;
  const bool many_rows = column.rows > most_sorted_rows;
  bins.sampled = many_rows && !take_few_distinct(column, max_bins, scratch.keys);
  if (bins.sampled || !many_rows) {
    take_keys(column, feature, bins.sampled, scratch.keys);
    sort_keys(scratch.keys, scratch.other);
  }
  std::vector<float>& sorted = scratch.values;
  sorted.resize(scratch.keys.size());
  std::transform(scratch.keys.begin(), scratch.keys.end(), sorted.begin(), value_of);

  std::int32_t groups = 0;
  for (std::size_t at = 0; at < sorted.size() && groups <= max_bins; ++groups) at = group_end(sorted, at);
  bins.exact = groups <= max_bins && !bins.sampled;
  if (groups <= max_bins) {
    cut_exact(sorted, bins);
  } else {
    cut_quantiles(sorted, static_cast<std::uint64_t>(max_bins), bins);
  }
  return bins;
}

}  // namespace overtake::forest
