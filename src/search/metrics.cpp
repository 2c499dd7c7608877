// SPDX-License-Identifier: MIT
// Scores, as sklearn.metrics defines them (scikit-learn 1.9, user guide, "Metrics and scoring").
#include "search/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/nearest.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct MetricInfo {
  Metric metric;
  std::string_view name;
  std::string_view alias;  ///< empty: none
};

constexpr std::array<MetricInfo, 17> metrics = {{
    {Metric::accuracy, "accuracy", ""},
    {Metric::balanced_accuracy, "balanced_accuracy", ""},
    {Metric::f1_macro, "f1_macro", ""},
    {Metric::f1_micro, "f1_micro", ""},
    {Metric::f1_weighted, "f1_weighted", ""},
    {Metric::f1, "f1", ""},
    {Metric::precision, "precision", ""},
    {Metric::precision_macro, "precision_macro", ""},
    {Metric::recall, "recall", ""},
    {Metric::recall_macro, "recall_macro", ""},
    {Metric::roc_auc, "roc_auc", "auc"},
    {Metric::roc_auc_ovr, "roc_auc_ovr", ""},
    {Metric::neg_log_loss, "neg_log_loss", "log_loss"},
    {Metric::r2, "r2", ""},
    {Metric::neg_mean_squared_error, "neg_mean_squared_error", "mse"},
    {Metric::neg_root_mean_squared_error, "neg_root_mean_squared_error", "rmse"},
    {Metric::neg_mean_absolute_error, "neg_mean_absolute_error", "mae"},
}};

constexpr std::string_view error_prefix = "neg_";

bool is_two_class(Metric metric) {
  return metric == Metric::f1 || metric == Metric::precision || metric == Metric::recall || metric == Metric::roc_auc;
}

/// What the confusion matrix says of one class.
struct ClassCounts {
  double hits = 0;       ///< of the class and predicted so
  double members = 0;    ///< of the class
  double predicted = 0;  ///< predicted as the class

  [[nodiscard]] bool present() const { return members > 0 || predicted > 0; }
  // 0 / 0 counts as 0 (scikit-learn: zero_division=0).
  [[nodiscard]] double precision() const { return predicted > 0 ? hits / predicted : 0; }
  [[nodiscard]] double recall() const { return members > 0 ? hits / members : 0; }
  [[nodiscard]] double f1() const { return present() ? 2 * hits / (members + predicted) : 0; }
};

std::vector<ClassCounts> counts_of(const FoldOutcome& outcome, std::int32_t classes) {
  const auto k = static_cast<std::size_t>(classes);
  if (outcome.confusion.size() != k * k) {
    throw InternalError(
        fmt::format("a confusion matrix of {} counts for {} classes", outcome.confusion.size(), classes));
  }
  std::vector<ClassCounts> counts(k);
  for (std::size_t truth = 0; truth < k; ++truth) {
    for (std::size_t guess = 0; guess < k; ++guess) {
      const auto n = static_cast<double>(outcome.confusion[truth * k + guess]);
      counts[truth].members += n;
      counts[guess].predicted += n;
      if (truth == guess) counts[truth].hits += n;
    }
  }
  return counts;
}

/// The mean over the classes that are among the labels or the predictions.
template <typename Value>
double macro(const std::vector<ClassCounts>& counts, Value value) {
  double sum = 0;
  int present = 0;
  for (const ClassCounts& c : counts) {
    if (!c.present()) continue;
    sum += value(c);
    ++present;
  }
  return present > 0 ? sum / present : nan;
}

double score_of_counts(Metric metric, const std::vector<ClassCounts>& counts) {
  double rows = 0;
  double hits = 0;
  for (const ClassCounts& c : counts) {
    rows += c.members;
    hits += c.hits;
  }
  if (rows == 0) return nan;
  const ClassCounts positive = counts.size() > 1 ? counts[1] : ClassCounts{};
  switch (metric) {
    case Metric::accuracy:
    case Metric::f1_micro: return hits / rows;  // one label a row: wrong rows are false both ways
    case Metric::balanced_accuracy: {
      double sum = 0;
      int present = 0;
      for (const ClassCounts& c : counts) {
        if (c.members > 0) sum += c.recall(), ++present;
      }
      return sum / present;
    }
    case Metric::f1_macro: return macro(counts, [](const ClassCounts& c) { return c.f1(); });
    case Metric::precision_macro: return macro(counts, [](const ClassCounts& c) { return c.precision(); });
    case Metric::recall_macro: return macro(counts, [](const ClassCounts& c) { return c.recall(); });
    case Metric::f1_weighted: {
      double sum = 0;
      for (const ClassCounts& c : counts) sum += c.members * c.f1();
      return sum / rows;
    }
    case Metric::f1: return positive.f1();
    case Metric::precision: return positive.precision();
    case Metric::recall: return positive.recall();
    default: throw InternalError("a metric of counts was expected");
  }
}

std::vector<std::int32_t> labels_of(const Dataset& data, std::span<const std::int32_t> rows) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.size());
  for (const std::int32_t row : rows) labels.push_back(data.labels[static_cast<std::size_t>(row)]);
  return labels;
}

double log_loss(std::span<const double> probabilities, std::span<const std::int32_t> labels, std::int32_t classes) {
  constexpr double smallest = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])];
    sum -= std::log(std::clamp(p, smallest, 1 - smallest));
  }
  return sum / static_cast<double>(labels.size());
}

double score_of_probabilities(Metric metric, const FoldOutcome& outcome, const Dataset& data,
                              std::span<const std::int32_t> test) {
  if (outcome.probabilities.size() != test.size() * static_cast<std::size_t>(data.classes)) {
    throw InternalError(fmt::format("{} probabilities for {} rows and {} classes", outcome.probabilities.size(),
                                    test.size(), data.classes));
  }
  if (test.empty() || data.classes < 2) return nan;
  const std::vector<std::int32_t> labels = labels_of(data, test);
  if (metric == Metric::neg_log_loss) return -log_loss(outcome.probabilities, labels, data.classes);
  if (data.classes == 2) return search_detail::roc_auc(outcome.probabilities, labels, 2, 1);
  double sum = 0;
  for (std::int32_t c = 0; c < data.classes; ++c) {
    sum += search_detail::roc_auc(outcome.probabilities, labels, data.classes, c);
  }
  return sum / data.classes;  // NaN when a class is not among the test rows, as in scikit-learn
}

double r2(double squared_error, const Dataset& data, std::span<const std::int32_t> test) {
  if (test.size() < 2) return nan;
  const auto target = [&](std::int32_t row) { return data.targets[static_cast<std::size_t>(row)]; };
  double mean = 0;
  for (const std::int32_t row : test) mean += target(row);
  mean /= static_cast<double>(test.size());
  double spread = 0;
  for (const std::int32_t row : test) spread += (target(row) - mean) * (target(row) - mean);
  if (spread == 0) return squared_error == 0 ? 1 : 0;
  return 1 - squared_error / spread;
}

double score_of_sums(Metric metric, const FoldOutcome& outcome, const Dataset& data,
                     std::span<const std::int32_t> test) {
  if (test.empty()) return nan;
  const auto rows = static_cast<double>(test.size());
  switch (metric) {
    case Metric::r2: return r2(outcome.squared_error, data, test);
    case Metric::neg_mean_squared_error: return -outcome.squared_error / rows;
    case Metric::neg_root_mean_squared_error: return -std::sqrt(outcome.squared_error / rows);
    case Metric::neg_mean_absolute_error: return -outcome.absolute_error / rows;
    default: throw InternalError("a metric of numbers was expected");
  }
}

}  // namespace

std::string_view name_of(Metric metric) noexcept {
  for (const MetricInfo& info : metrics) {
    if (info.metric == metric) return info.name;
  }
  return "unknown";
}

Metric parse_metric(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  std::vector<std::string> names;
  std::string list;
  for (const MetricInfo& info : metrics) {
    const bool negated = info.name.starts_with(error_prefix);
    if (wanted == info.name || (!info.alias.empty() && wanted == info.alias) ||
        (negated && wanted == info.name.substr(error_prefix.size()))) {
      return info.metric;
    }
    names.emplace_back(info.name);
    if (!info.alias.empty()) names.emplace_back(info.alias);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", info.alias.empty() ? info.name : info.alias);
  }
  const std::string near = nearest(wanted, names);
  throw UsageError(fmt::format("unknown metric \"{}\"{}", name, near.empty() ? "" : "; did you mean " + near + "?"),
                   fmt::format("Metrics: {}.", list));
}

bool is_for(Metric metric, Task task) noexcept {
  const bool numbers = metric == Metric::r2 || metric == Metric::neg_mean_squared_error ||
                       metric == Metric::neg_root_mean_squared_error || metric == Metric::neg_mean_absolute_error;
  return numbers == (task == Task::regression);
}

Metric default_metric(Task task) noexcept { return task == Task::regression ? Metric::r2 : Metric::accuracy; }

bool needs_probabilities(Metric metric) noexcept {
  return metric == Metric::roc_auc || metric == Metric::roc_auc_ovr || metric == Metric::neg_log_loss;
}

double score_of(Metric metric, const FoldOutcome& outcome, const Dataset& data, std::span<const std::int32_t> test) {
  search_detail::check_metric(metric, data);
  if (!outcome.failure.empty()) return nan;
  if (data.task == Task::regression) return score_of_sums(metric, outcome, data, test);
  if (needs_probabilities(metric)) return score_of_probabilities(metric, outcome, data, test);
  return score_of_counts(metric, counts_of(outcome, data.classes));
}

namespace search_detail {

void check_metric(Metric metric, const Dataset& data) {
  if (!is_for(metric, data.task)) {
    const bool classes = data.task == Task::classification;
    throw UsageError(fmt::format("the metric {} is for {}, and the target is a {}", name_of(metric),
                                 classes ? "numbers" : "classes", classes ? "class" : "number"),
                     classes ? "Use accuracy or f1_macro, say." : "Use r2, mse, rmse or mae.");
  }
  if (is_two_class(metric) && data.classes > 2) {
    const std::string several = metric == Metric::roc_auc ? "roc_auc_ovr" : fmt::format("{}_macro", name_of(metric));
    throw UsageError(
        fmt::format("the metric {} is for two classes, and the target has {}", name_of(metric), data.classes),
        fmt::format("Use {}.", several));
  }
}

double roc_auc(std::span<const double> probabilities, std::span<const std::int32_t> labels, std::int32_t classes,
               std::int32_t positive) {
  const auto k = static_cast<std::size_t>(classes);
  const auto p = [&](std::size_t i) { return probabilities[i * k + static_cast<std::size_t>(positive)]; };
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p(a) < p(b); });
  // Twice the number of rightly ordered pairs is whole, so that the sum is exact.
  std::uint64_t twice = 0;
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::uint64_t tied_positives = 0;
    std::uint64_t tied_negatives = 0;
    std::size_t end = begin;
    for (; end < order.size() && p(order[end]) == p(order[begin]); ++end) {
      ++(labels[order[end]] == positive ? tied_positives : tied_negatives);
    }
    twice += tied_positives * (2 * negatives + tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
    if (end == begin) return nan;  // a probability that is NaN
    begin = end;
  }
  if (positives == 0 || negatives == 0) return nan;
  return static_cast<double>(twice) / (2 * static_cast<double>(positives) * static_cast<double>(negatives));
}

}  // namespace search_detail

}  // namespace overtake
