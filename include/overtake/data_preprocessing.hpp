// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data_set.hpp"
#include "overtake/data_table.hpp"

namespace overtake {

/// How a table becomes numbers.
struct PreprocessingOptions {
  std::optional<Task> task;           ///< unset: see detect_task()
  std::vector<std::string> features;  ///< columns to learn from; empty: all but the target and `ignore`
  std::vector<std::string> ignore;    ///< columns to leave out
  bool standardise_features = true;   ///< numeric features: (x - mean) / standard deviation
  bool standardise_target = true;     ///< the same for the target of a regression
  bool refuse_unseen = false;         ///< a text cell that training did not see: true: DataError, false: as if missing
  bool keep_missing = false;          ///< a missing numeric cell: true: NaN, which forests understand; false: the mean
  bool text_as_codes = false;  ///< text features: true: one input, the place among the sorted values; false: one-hot
  std::int64_t most_categories = 256;  ///< of one text feature, and classes of the target; more is an error
};

/// One column that the model reads.
struct Feature {
  std::string name;
  ColumnKind kind = ColumnKind::numeric;
  double mean = 0.0;                    ///< numeric: subtracted; also what a missing cell becomes
  double scale = 1.0;                   ///< numeric: divided by
  std::vector<std::string> categories;  ///< text: sorted by bytes; one input each, or one input in all (codes)
};

/// Everything between a table and a model's inputs: plain data that travels inside the model file, so that prediction
/// needs nothing else.
///
/// Numeric features: (x - mean) / scale in double, then rounded to float32; mean and standard deviation (ddof 0) over
/// the cells that are not missing; a constant column gets scale 1 (scikit-learn's StandardScaler); a missing cell
/// becomes the mean, or NaN with `keep_missing`. Text features: one-hot, a missing or unseen cell is all zeros; with
/// `text_as_codes` the place of the cell among the sorted values, a missing or unseen cell is NaN. Class labels: the
/// sorted distinct cells of the target (numerically if it is a numeric column).
struct Preprocessing {
  Task task = Task::classification;
  std::string target;
  std::vector<Feature> features;
  std::vector<std::string> classes;  ///< classification: the name of each label
  double target_mean = 0.0;          ///< regression: value = target_mean + target_scale * output
  double target_scale = 1.0;
  bool standardise = true;  ///< numeric features are standardised; what a missing cell becomes does not depend on it
  bool refuse_unseen = false;
  bool keep_missing = false;
  bool text_as_codes = false;
  bool has_header = true;  ///< false: trained without names; then columns are matched by position

  /// Learns from a table. Statistics and categories come from `rows` only (all rows if empty), class names from the
  /// whole table. Throws UsageError for an unknown column name (naming the nearest), DataError for a target cell that
  /// is missing or infinite, an infinite feature, a feature without any value (unless it is numeric and
  /// `keep_missing`), too many categories, or fewer than 1 row.
  [[nodiscard]] static Preprocessing fit(const Table& table, const std::string& target,
                                         const PreprocessingOptions& options = {},
                                         std::span<const std::int32_t> rows = {});

  /// Inputs of the model: numeric features count one, text features one per category (one with `text_as_codes`).
  [[nodiscard]] std::int64_t inputs() const noexcept;
  /// Outputs of the model: the number of classes, or 1 for regression.
  [[nodiscard]] std::int64_t outputs() const noexcept;

  /// Inputs for every row; labels or (standardised) targets too if the table has the target column. Throws DataError
  /// with file, line and column for a missing column (naming the nearest), a text cell where training saw numbers, an
  /// infinite value, an unseen class in the target, or an unseen text cell if `refuse_unseen`.
  [[nodiscard]] Dataset transform(const Table& table) const;
  /// The same without looking at the target, as prediction needs it.
  [[nodiscard]] Dataset transform_features(const Table& table) const;

  /// How to read a file for this model: with or without header as in training; text features stay text, numeric ones
  /// must be numbers, other columns may hold anything. Names the file lacks are transform()'s to report.
  [[nodiscard]] TableOptions table_options() const;

  /// As JSON text (numbers in a form that reads back exactly), and back. from_json throws DataError naming `source` for
  /// anything that to_json does not write.
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] static Preprocessing from_json(std::string_view text, std::string_view source = "preprocessing");
};

/// Classification for a text column, and for a numeric one whose values are all whole numbers, at most 20 distinct and
/// at least 3 rows for each on average; else regression.
[[nodiscard]] Task detect_task(const Column& target);

/// A table split, fitted on its training rows and transformed.
struct PreparedData {
  Preprocessing preprocessing;
  Dataset training;
  Dataset validation;  ///< no rows if validation_fraction is 0
};

/// Splits the rows (stratified for classification), fits on the training rows only and transforms both parts. Throws
/// what fit, transform and split_rows throw.
[[nodiscard]] PreparedData prepare(const Table& table, const std::string& target, const PreprocessingOptions& options,
                                   double validation_fraction, std::uint64_t seed);

}  // namespace overtake
