// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/dataset.hpp"
#include "overtake/data/table.hpp"

namespace overtake {

/// What a text cell becomes that training did not see.
enum class UnseenRule : std::uint8_t {
  automatic,  ///< missing; but a column of nothing else is an error
  error,
  missing,
};

/// How a table becomes numbers.
struct PreprocessingOptions {
  std::optional<Task> task;           ///< unset: see detect_task()
  std::vector<std::string> features;  ///< columns to learn from; empty: all but the target and `ignore`
  std::vector<std::string> ignore;    ///< columns to leave out
  bool standardise_features = true;   ///< numeric features: (x - mean) / standard deviation
  bool standardise_target = true;     ///< the same for the target of a regression
  UnseenRule unseen = UnseenRule::automatic;
  bool keep_missing = false;   ///< a missing numeric cell: true: NaN, which forests understand; false: the mean
  bool text_as_codes = false;  ///< text features: true: one input, the place among the sorted values; false: one-hot
  std::int64_t most_categories = 256;   ///< of one text feature, and classes of the target; more is an error
  std::uint64_t host_memory_limit = 0;  ///< bytes of the computer's memory for the whole process; 0: what there is

  /// What forests take: numbers as they are, missing cells marked, text columns as codes.
  [[nodiscard]] static PreprocessingOptions for_forests();
};

/// One column that the model reads.
struct Feature {
  std::string name;
  ColumnKind kind = ColumnKind::numeric;
  bool days = false;                   ///< numeric: read from dates and times
  bool declared_text = false;          ///< text: words for "missing" are data
  double mean = 0.0;                   ///< numeric: subtracted; also what a missing cell becomes
  double scale = 1.0;                  ///< numeric: divided by
  double lowest = 0.0, highest = 0.0;  ///< numeric: of the training rows; both 0 where not known
  /// Text: one input each, or one input in all (codes). Sorted by bytes, unless who trained gave them an order.
  std::vector<std::string> categories;
};

/// Cells of a text feature that training did not see.
struct UnseenCells {
  std::string column;
  std::int64_t cells = 0;    ///< unseen ones
  std::int64_t present = 0;  ///< all that are not missing
  std::string example;
};

/// What transform() met besides values.
struct TransformReport {
  std::vector<UnseenCells> unseen;  ///< of the columns that have some
  std::vector<std::string> notes;   ///< columns far outside the range of training, for people
};

/// Everything between a table and a model's inputs: plain data that travels inside the model file, so that prediction
/// needs nothing else.
///
/// Numeric features: (x - mean) / scale in double, then rounded to float32; mean and standard deviation (ddof 0) over
/// the cells that are not missing; a constant column gets scale 1 (scikit-learn's StandardScaler); a missing cell
/// becomes the mean, or NaN with `keep_missing`. Text features: one-hot, a missing or unseen cell is all zeros; with
/// `text_as_codes` the place of the cell among the categories, a missing or unseen cell is NaN. Class labels: the
/// distinct cells of the target as they are written, ordered and compared as labels_of() says.
struct Preprocessing {
  Task task = Task::classification;
  std::string target;
  std::vector<Feature> features;
  std::vector<std::string> classes;   ///< classification: the name of each label
  bool numeric_classes = false;       ///< classes are compared as numbers
  bool target_declared_text = false;  ///< words for "missing" are data in the target
  double target_mean = 0.0;           ///< regression: value = target_mean + target_scale * output
  double target_scale = 1.0;
  bool standardise = true;  ///< numeric features are standardised; what a missing cell becomes does not depend on it
  UnseenRule unseen = UnseenRule::automatic;
  bool keep_missing = false;
  bool text_as_codes = false;
  Reading reading;            ///< how the training file was read: prediction reads alike
  bool reading_known = true;  ///< false: a model file of before that was kept; only the header is known
  std::vector<std::string>
      columns;  ///< of the training file, in its order: without header they are matched by position

  /// Learns from a table. Statistics and categories come from `rows` only (all rows if empty), class names from the
  /// whole table. Throws UsageError for an unknown column name (naming the nearest), DataError for a target cell that
  /// is missing or infinite, an infinite feature, a feature without any value (unless it is numeric and
  /// `keep_missing`), too many categories, fewer than 1 row, or, unless options.task is set, a text target of more than
  /// 50 classes with fewer than five rows each on average.
  [[nodiscard]] static Preprocessing fit(const Table& table, const std::string& target,
                                         const PreprocessingOptions& options = {},
                                         std::span<const std::int32_t> rows = {});

  /// The names of `features`.
  [[nodiscard]] std::vector<std::string> feature_names() const;
  /// Inputs of the model: numeric features count one, text features one per category (one with `text_as_codes`).
  [[nodiscard]] std::int64_t inputs() const noexcept;
  /// Outputs of the model: the number of classes, or 1 for regression.
  [[nodiscard]] std::int64_t outputs() const noexcept;

  /// Inputs for every row; labels or (standardised) targets too if the table has the target column. Throws DataError
  /// with file, line and column for a missing column (naming the nearest), a text cell where training saw numbers, an
  /// infinite value, an unseen class in the target, unseen text cells as `unseen` says, and, where the table has no
  /// header, a column most of whose cells lie more than ten times the range of training outside of it.
  [[nodiscard]] Dataset transform(const Table& table, TransformReport* report = nullptr) const;
  /// The same without looking at the target, as prediction needs it.
  [[nodiscard]] Dataset transform_features(const Table& table, TransformReport* report = nullptr) const;

  /// How to read a file for this model: as the training file was read. Text features stay text, numeric ones must be
  /// numbers, dates dates; other columns may hold anything. Names the file lacks are transform()'s to report.
  [[nodiscard]] TableOptions table_options() const;

  /// As JSON text (numbers in a form that reads back exactly), and back. from_json throws DataError naming `source` for
  /// anything that to_json does not write.
  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] static Preprocessing from_json(std::string_view text, std::string_view source = "preprocessing");
};

enum class CategoryOrder : std::uint8_t {
  sorted,  ///< of those that rows have, by bytes: as a text column of a table is encoded
  given,   ///< of all of them, as they are given
};

/// Makes column `feature` of the inputs, which holds places among `names` (NaN: missing), what `order` says, and
/// returns the categories whose places it holds then. Throws UsageError for a feature that does not exist and names
/// that come twice, DataError for a number that is no such place and for more categories than for_forests() allows.
[[nodiscard]] std::vector<std::string> set_categories(Dataset& data, std::int64_t feature,
                                                      std::vector<std::string> names, CategoryOrder order);

/// A task, and why.
struct TaskChoice {
  Task task = Task::classification;
  std::string reason;  ///< "species is text"
};

/// Classification for a column of text, of labels that are no plain numbers (labels_of), and for whole numbers of which
/// at most 20 are distinct, with at least 3 rows for each on average; else regression.
[[nodiscard]] TaskChoice detect_task(const Table& table, std::size_t target);

/// The columns of a table that have a meaning of their own. Those but the target are no features; "" is none.
struct ColumnRoles {
  std::string target{};
  std::string sample_weight{};  ///< numbers of at least 0
  std::string group{};          ///< equal cells stay in one fold
  std::string fold{};           ///< the fold of each row; -1: it always trains

  /// Adds how these columns are read. A target whose cells are names because `task` says so may hold any. Throws
  /// UsageError for a column of two roles, or a target that is ignored.
  void apply_to(TableOptions& reading, std::optional<Task> task) const;
};

/// A table as numbers: what training takes.
struct PreparedData {
  Preprocessing preprocessing;
  Dataset training;
  Dataset validation;                ///< no rows if validation_fraction is 0
  std::vector<float> sample_weight;  ///< empty, or one a training row
  std::vector<std::int32_t> groups;  ///< of roles.group or roles.fold: empty, or one a training row, counted from 0 in
                                     ///< the order of the labels (-1: no fold)
  TransformReport report;
};

/// Fits on all rows and transforms them, in their order; with `known`, transforms as that model's data was. Throws what
/// fit and transform throw, UsageError for a column that is not there, and DataError with the place of a cell that
/// cannot be what its role says; DeviceError where the encoded rows do not fit beside the table.
[[nodiscard]] PreparedData prepare(const Table& table, const ColumnRoles& roles, PreprocessingOptions options,
                                   const Preprocessing* known = nullptr);

/// Splits the rows (stratified for classification), fits on the training rows only and transforms both parts. Throws
/// what fit, transform and split_rows throw, and DeviceError likewise.
[[nodiscard]] PreparedData prepare(const Table& table, const std::string& target, const PreprocessingOptions& options,
                                   double validation_fraction, std::uint64_t seed);

}  // namespace overtake
