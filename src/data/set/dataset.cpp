// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/philox.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

/// Random streams of this file; the values are part of what a seed means.
constexpr std::uint32_t split_stream = 0x5350'4C54;  // "SPLT"

void check_fraction(double fraction, std::int64_t rows) {
  if (!(fraction >= 0.0 && fraction < 1.0)) {
    throw UsageError(fmt::format("the validation fraction is {}, expected at least 0 and less than 1", fraction),
                     "Use 0.2, say, for a fifth of the rows.");
  }
  if (rows < 0 || rows > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError(fmt::format("{} rows, expected 0 to {}", rows, std::numeric_limits<std::int32_t>::max()));
  }
  if (fraction > 0.0 && rows < 2) {
    throw UsageError(fmt::format("{} rows cannot be split into training and validation rows", rows),
                     "Use a validation fraction of 0.");
  }
}

/// round(fraction * rows), with at least one row on either side unless the fraction is 0.
std::int64_t validation_rows(std::int64_t rows, double fraction) {
  if (fraction == 0.0) return 0;
  const auto wanted = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(rows)));
  return std::clamp<std::int64_t>(wanted, 1, rows - 1);
}

std::vector<std::int32_t> shuffled(const std::vector<std::int32_t>& values, std::uint64_t seed, std::uint32_t counter) {
  const auto order = philox::permutation(static_cast<std::int32_t>(values.size()), seed, split_stream, counter);
  std::vector<std::int32_t> result;
  result.reserve(values.size());
  for (const std::int32_t i : order) result.push_back(values[static_cast<std::size_t>(i)]);
  return result;
}

/// Validation rows of each class, `total` in all: the whole part of each class's share, then one more for the classes
/// with the largest fractional parts (the lower class first among equals). No class gives all of its rows.
std::vector<std::int64_t> quotas(const std::vector<std::vector<std::int32_t>>& members, double fraction,
                                 std::int64_t total) {
  std::vector<std::int64_t> quota(members.size());
  std::vector<double> part(members.size());
  for (std::size_t c = 0; c < members.size(); ++c) {
    const double share = fraction * static_cast<double>(members[c].size());
    quota[c] = static_cast<std::int64_t>(std::floor(share));
    part[c] = share - std::floor(share);
  }
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return part[a] > part[b]; });
  std::int64_t left = total - std::accumulate(quota.begin(), quota.end(), std::int64_t{0});
  for (const std::size_t c : order) {
    if (left <= 0) break;
    if (quota[c] + 1 >= static_cast<std::int64_t>(members[c].size())) continue;
    ++quota[c];
    --left;
  }
  return quota;
}

}  // namespace

std::string_view name_of(Task task) noexcept { return task == Task::classification ? "classification" : "regression"; }

Dataset select(const Dataset& data, std::span<const std::int32_t> rows) {
  Dataset result;
  result.task = data.task;
  result.rows = static_cast<std::int64_t>(rows.size());
  result.features = data.features;
  result.classes = data.classes;
  const auto width = static_cast<std::ptrdiff_t>(data.features);
  result.inputs.reserve(rows.size() * static_cast<std::size_t>(width));
  for (const std::int32_t row : rows) {
    if (row < 0 || row >= data.rows) {
      throw UsageError(fmt::format("row {} is out of range, expected 0 to {}", row, data.rows - 1));
    }
    const auto begin = data.inputs.begin() + row * width;
    result.inputs.insert(result.inputs.end(), begin, begin + width);
    if (!data.labels.empty()) result.labels.push_back(data.labels[static_cast<std::size_t>(row)]);
    if (!data.targets.empty()) result.targets.push_back(data.targets[static_cast<std::size_t>(row)]);
  }
  return result;
}

Split split_rows(std::int64_t rows, double fraction, std::uint64_t seed) {
  check_fraction(fraction, rows);
  const auto order = philox::permutation(static_cast<std::int32_t>(rows), seed, split_stream, 0);
  const auto cut = order.begin() + static_cast<std::ptrdiff_t>(validation_rows(rows, fraction));
  return {std::vector<std::int32_t>(cut, order.end()), std::vector<std::int32_t>(order.begin(), cut)};
}

Split split_stratified(std::span<const std::int32_t> labels, std::int32_t classes, double fraction,
                       std::uint64_t seed) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  check_fraction(fraction, rows);
  if (classes < 0) throw UsageError(fmt::format("{} classes, expected 0 or more", classes));
  std::vector<std::vector<std::int32_t>> members(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw UsageError(fmt::format("the label of row {} is {}, expected 0 to {}", i, labels[i], classes - 1));
    }
    members[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::int32_t>(i));
  }
  const std::vector<std::int64_t> quota = quotas(members, fraction, validation_rows(rows, fraction));
  const bool none = std::accumulate(quota.begin(), quota.end(), std::int64_t{0}) == 0;
  if (none && fraction > 0.0) return split_rows(rows, fraction, seed);  // every class has one row only
  Split split;
  for (std::size_t c = 0; c < members.size(); ++c) {
    // Counters 0 and 1 are split_rows' and the final shuffles'.
    const std::vector<std::int32_t> order = shuffled(members[c], seed, static_cast<std::uint32_t>(c) + 2);
    const auto cut = order.begin() + static_cast<std::ptrdiff_t>(quota[c]);
    split.validation.insert(split.validation.end(), order.begin(), cut);
    split.training.insert(split.training.end(), cut, order.end());
  }
  split.training = shuffled(split.training, seed, 0);
  split.validation = shuffled(split.validation, seed, 1);
  return split;
}

Dataset classification_data(const HostArray& inputs, const HostArray& labels, float scale) {
  if (inputs.extents.empty() || labels.extents.size() != 1) {
    throw DataError(fmt::format("inputs have {} dimensions and labels {}, expected at least 1 and exactly 1",
                                inputs.extents.size(), labels.extents.size()));
  }
  if (inputs.extents[0] != labels.extents[0] || inputs.extents[0] < 1) {
    throw DataError(fmt::format("{} rows of inputs and {} labels, expected the same number, at least 1",
                                inputs.extents[0], labels.extents[0]),
                    "Check that the two files belong together.");
  }
  if (inputs.extents[0] > std::numeric_limits<std::int32_t>::max()) throw DataError("more than 2^31 - 1 rows");
  Dataset data;
  data.rows = inputs.extents[0];
  data.features = inputs.size() / data.rows;
  data.inputs = to_float32(inputs);
  for (float& value : data.inputs) value *= scale;
  data.labels = to_int32(labels, "labels");
  const auto [smallest, largest] = std::minmax_element(data.labels.begin(), data.labels.end());
  if (*smallest < 0 || *largest == std::numeric_limits<std::int32_t>::max()) {
    throw DataError(fmt::format("labels range from {} to {}, expected 0, 1, 2, ...", *smallest, *largest));
  }
  data.classes = *largest + 1;
  return data;
}

}  // namespace overtake
