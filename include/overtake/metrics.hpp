// SPDX-License-Identifier: MIT
// Scores: the one place in which each metric is computed, from true and predicted values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/dataset.hpp"

namespace overtake {

/// A way to score. Larger is better: errors are negated as in scikit-learn ("neg_log_loss").
enum class Metric : std::uint8_t {
  accuracy,
  balanced_accuracy,
  f1_macro,
  f1_micro,
  f1_weighted,
  f1,
  precision,
  precision_macro,
  recall,
  recall_macro,
  roc_auc,
  roc_auc_ovr,
  neg_log_loss,
  r2,
  neg_mean_squared_error,
  neg_root_mean_squared_error,
  neg_mean_absolute_error,
};

/// What a device measured of one candidate on the test rows of one fold; metrics are computed from it.
struct FoldOutcome {
  std::vector<std::int64_t> confusion;           ///< classes x classes: [true class][predicted class]
  std::vector<double> predictions;               ///< test rows x classes: shares, or x 1; only when a metric needs it
  double squared_error = 0, absolute_error = 0;  ///< regression: sums over the test rows in a fixed order
  std::string failure;                           ///< not empty: why there is no outcome
};

/// All of them, in the order above.
[[nodiscard]] std::span<const Metric> all_metrics() noexcept;
/// scikit-learn's scorer name.
[[nodiscard]] std::string_view name_of(Metric metric) noexcept;
/// By scikit-learn's name or the short ones (mse, rmse, mae, log_loss, ...). Throws UsageError naming the nearest.
[[nodiscard]] Metric parse_metric(std::string_view name);
/// Where a metric stands among those that were scored. Throws UsageError, beginning with `what`, where it does not.
[[nodiscard]] std::size_t metric_index(std::span<const Metric> scored, std::string_view name, std::string_view what);
[[nodiscard]] bool is_for(Metric metric, Task task) noexcept;
[[nodiscard]] Metric default_metric(Task task) noexcept;
/// True for roc_auc and log_loss: they need class shares of every row, the others counts or sums.
[[nodiscard]] bool needs_probabilities(Metric metric) noexcept;
/// True for f1, precision, recall and roc_auc: they are about one of two classes, the positive one.
[[nodiscard]] bool is_about_one_class(Metric metric) noexcept;

/// Throws UsageError when the metric is for the other task, or is about one of two classes and there are more (naming
/// the metric of several classes to use).
void check_metric(Metric metric, Task task, std::int32_t classes);

/// The class that f1, precision, recall or roc_auc is about, as scikit-learn's scorers choose it: for f1, precision and
/// recall the class 1 (pos_label=1) where the classes are numbers, so 1 of {0, 1}, of {-1, 1} and of {1, 2}, and true
/// of {false, true}; for roc_auc the second class. `wanted` names another, in any spelling of a number that is no other
/// class; "" leaves the choice. `class_names`: at most two; empty: "0", "1". Throws UsageError naming the classes when
/// `wanted` is none of them, and where no class is 1 and none is named.
[[nodiscard]] std::int32_t positive_class(Metric metric, std::span<const std::string> class_names,
                                          std::string_view wanted = {});

/// What is known of the rows of one class.
struct ClassCounts {
  double hits = 0;       ///< of the class and predicted so
  double members = 0;    ///< of the class
  double predicted = 0;  ///< predicted as the class
};

/// Counts of every class from labels of 0 to classes - 1. Throws UsageError for spans of unequal sizes and for labels
/// that are no class.
[[nodiscard]] std::vector<ClassCounts> class_counts(std::span<const std::int32_t> predicted,
                                                    std::span<const std::int32_t> truth, std::int32_t classes);
/// The same from a confusion matrix, classes x classes, [true class][predicted class]. Throws InternalError for another
/// size.
[[nodiscard]] std::vector<ClassCounts> class_counts(std::span<const std::int64_t> confusion, std::int32_t classes);

/// Sums over rows, added up in one canonical order (256 lanes, folded by halves), the same on every device.
struct ErrorSums {
  double squared = 0;
  double absolute = 0;
};
/// Throws UsageError for spans of unequal sizes.
[[nodiscard]] ErrorSums error_sums(std::span<const double> predicted, std::span<const double> truth);

/// accuracy, balanced_accuracy, f1, precision and recall of all kinds, as sklearn.metrics defines them (0 / 0 counts as
/// 0; means go over the classes that are among the labels or the predictions). NaN without rows. `positive`: see
/// positive_class().
[[nodiscard]] double score_of_counts(Metric metric, std::span<const ClassCounts> counts, std::int32_t positive = 1);

/// roc_auc, roc_auc_ovr and neg_log_loss from shares, rows x classes. roc_auc is the share of pairs (a row of the
/// class, a row of another) that the class's share orders rightly, ties half; NaN without rows on both sides.
/// roc_auc_ovr is its mean over the classes, for two classes roc_auc of the second. neg_log_loss keeps shares between
/// the double's epsilon and 1 - epsilon, as sklearn.metrics.log_loss(labels=all classes), so that it is defined where a
/// class has no row. NaN for no rows or one class. Throws UsageError for sizes that do not fit and labels that are no
/// class.
[[nodiscard]] double score_of_probabilities(Metric metric, std::span<const double> probabilities,
                                            std::span<const std::int32_t> truth, std::int32_t classes,
                                            std::int32_t positive = 1);

/// r2 and the errors from sums over rows and the true values. r2 of constant targets is 1 where every prediction is
/// right, else 0, as in scikit-learn; NaN for fewer than two rows. The errors are NaN without rows.
[[nodiscard]] double score_of_errors(Metric metric, const ErrorSums& sums, std::span<const double> truth);

/// The share of the rows whose class is right; NaN without rows.
[[nodiscard]] double accuracy(std::span<const std::int32_t> predicted, std::span<const std::int32_t> truth);
/// The coefficient of determination; see score_of_errors().
[[nodiscard]] double r2(std::span<const double> predicted, std::span<const double> truth);

}  // namespace overtake
