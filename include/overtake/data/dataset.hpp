// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "overtake/data/array.hpp"

namespace overtake {

/// What a model learns: a class or a number.
enum class Task : std::uint8_t { classification, regression };
/// "classification", "regression".
[[nodiscard]] std::string_view name_of(Task task) noexcept;

/// Rows to train on or to predict, on the host.
struct Dataset {
  Task task = Task::classification;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::int32_t classes = 0;          ///< classification: labels are 0 .. classes - 1
  std::vector<float> inputs;         ///< rows x features, row-major
  std::vector<std::int32_t> labels;  ///< classification: one a row; empty if not known
  std::vector<double> targets;       ///< regression: one a row; empty if not known
};

/// The given rows of a data set, in the given order. Throws UsageError for an index out of range.
[[nodiscard]] Dataset select(const Dataset& data, std::span<const std::int32_t> rows);

/// Row indices of a split.
struct Split {
  std::vector<std::int32_t> training;
  std::vector<std::int32_t> validation;
};

/// Shuffles 0 .. rows - 1 (Philox, seeded) and takes round(fraction * rows) of them for validation; at least one row
/// stays on either side unless the fraction is 0. Throws UsageError unless 0 <= fraction < 1, and for fraction > 0 with
/// fewer than 2 rows. The same arguments give the same split everywhere.
[[nodiscard]] Split split_rows(std::int64_t rows, double fraction, std::uint64_t seed);

/// The same, but every class keeps its share: each class is shuffled on its own, and the validation rows of all classes
/// differ from fraction * class size by less than one. A class of one row stays in training (if every class has one
/// row, the split is that of split_rows). Both sides are then shuffled.
[[nodiscard]] Split split_stratified(std::span<const std::int32_t> labels, std::int32_t classes, double fraction,
                                     std::uint64_t seed);

/// Classification data from arrays (a NPY or IDX pair): the first extent counts rows, the others are flattened; inputs
/// are multiplied by `scale` (1/255 for images of bytes). Classes = largest label + 1. Throws DataError if the row
/// counts differ, there are no rows, or a label is negative or not whole.
[[nodiscard]] Dataset classification_data(const HostArray& inputs, const HostArray& labels, float scale = 1.0F);

/// The disc data: `rows` points uniform in [0, 1)^2; label 1 inside the circle x^2 + y^2 <= 1 / (2 pi), else 0; then
/// all 2 * rows coordinates are standardised together with their mean and standard deviation (ddof 1). float32 points
/// from Philox, sums in double: the same bits on every machine. Throws UsageError unless 1 <= rows < 2^30.
[[nodiscard]] Dataset disc(std::int64_t rows, std::uint64_t seed);

}  // namespace overtake
