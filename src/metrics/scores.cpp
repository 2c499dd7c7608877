// SPDX-License-Identifier: MIT
// Scores, as sklearn.metrics defines them (scikit-learn 1.9, user guide, "Metrics and scoring").
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "overtake/error.hpp"
#include "overtake/metrics.hpp"
#include "overtake/score_parts.hpp"

namespace overtake {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool present(const ClassCounts& c) { return c.members > 0 || c.predicted > 0; }
// 0 / 0 counts as 0 (scikit-learn: zero_division=0).
double precision_of(const ClassCounts& c) { return c.predicted > 0 ? c.hits / c.predicted : 0; }
double recall_of(const ClassCounts& c) { return c.members > 0 ? c.hits / c.members : 0; }
double f1_of(const ClassCounts& c) { return present(c) ? 2 * c.hits / (c.members + c.predicted) : 0; }

/// The mean over the classes that are among the labels or the predictions.
double macro(std::span<const ClassCounts> counts, double (*value)(const ClassCounts&)) {
  double sum = 0;
  int classes = 0;
  for (const ClassCounts& c : counts) {
    if (!present(c)) continue;
    sum += value(c);
    ++classes;
  }
  return classes > 0 ? sum / classes : nan;
}

/// The mean over the classes that have rows.
double mean_recall(std::span<const ClassCounts> counts) {
  double sum = 0;
  int classes = 0;
  for (const ClassCounts& c : counts) {
    if (c.members == 0) continue;
    sum += recall_of(c);
    ++classes;
  }
  return sum / classes;
}

double weighted_f1(std::span<const ClassCounts> counts, double rows) {
  double sum = 0;
  for (const ClassCounts& c : counts) sum += c.members * f1_of(c);
  return sum / rows;
}

void check_label(std::int32_t label, std::int32_t classes) {
  if (label >= 0 && label < classes) return;
  throw UsageError(fmt::format("a label is {}, expected 0 to {}", label, classes - 1));
}

void check_sizes(std::size_t predicted, std::size_t truth) {
  if (predicted == truth) return;
  throw UsageError(fmt::format("{} predictions for {} rows, expected one a row", predicted, truth));
}

double log_loss(std::span<const double> probabilities, std::span<const std::int32_t> truth, std::size_t classes) {
  constexpr double smallest = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double p = probabilities[i * classes + static_cast<std::size_t>(truth[i])];
    sum -= std::log(std::clamp(p, smallest, 1 - smallest));
  }
  return sum / static_cast<double>(truth.size());
}

double roc_auc(std::span<const double> probabilities, std::span<const std::int32_t> truth, std::size_t classes,
               std::int32_t positive) {
  const auto p = [&](std::size_t i) { return probabilities[i * classes + static_cast<std::size_t>(positive)]; };
  std::vector<std::size_t> order(truth.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // A share that is no number has no place in an order.
  if (std::any_of(order.begin(), order.end(), [&](std::size_t i) { return std::isnan(p(i)); })) return nan;
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
      ++(truth[order[end]] == positive ? tied_positives : tied_negatives);
    }
    twice += tied_positives * (2 * negatives + tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
    begin = end;
  }
  if (positives == 0 || negatives == 0) return nan;
  return static_cast<double>(twice) / (2 * static_cast<double>(positives) * static_cast<double>(negatives));
}

/// Mean and sum of squares round it. Deviations are from the first value, so that equal values have a spread of 0
/// whatever they are, and large ones with a small spread lose no digits.
struct Spread {
  double mean = 0, squares = 0;
};
Spread spread_of(std::span<const double> values) {
  double shift = 0;
  for (const double value : values) shift += value - values.front();
  Spread spread{values.front() + shift / static_cast<double>(values.size())};
  for (const double value : values) spread.squares += (value - spread.mean) * (value - spread.mean);
  return spread;
}

double r2_of(double squared_error, double spread) {
  if (spread == 0) return squared_error == 0 ? 1 : 0;
  return 1 - squared_error / spread;
}

}  // namespace

std::vector<ClassCounts> class_counts(std::span<const std::int32_t> predicted, std::span<const std::int32_t> truth,
                                      std::int32_t classes) {
  check_sizes(predicted.size(), truth.size());
  std::vector<ClassCounts> counts(static_cast<std::size_t>(std::max(classes, 0)));
  for (std::size_t row = 0; row < truth.size(); ++row) {
    check_label(truth[row], classes);
    check_label(predicted[row], classes);
    counts[static_cast<std::size_t>(truth[row])].members += 1;
    counts[static_cast<std::size_t>(predicted[row])].predicted += 1;
    if (truth[row] == predicted[row]) counts[static_cast<std::size_t>(truth[row])].hits += 1;
  }
  return counts;
}

std::vector<ClassCounts> class_counts(std::span<const std::int64_t> confusion, std::int32_t classes) {
  const auto k = static_cast<std::size_t>(classes);
  if (confusion.size() != k * k) {
    throw InternalError(fmt::format("a confusion matrix of {} counts for {} classes", confusion.size(), classes));
  }
  std::vector<ClassCounts> counts(k);
  for (std::size_t truth = 0; truth < k; ++truth) {
    for (std::size_t guess = 0; guess < k; ++guess) {
      const auto n = static_cast<double>(confusion[truth * k + guess]);
      counts[truth].members += n;
      counts[guess].predicted += n;
      if (truth == guess) counts[truth].hits += n;
    }
  }
  return counts;
}

ErrorSums error_sums(std::span<const double> predicted, std::span<const double> truth) {
  check_sizes(predicted.size(), truth.size());
  constexpr std::size_t lanes = 256;
  std::array<double, lanes> squared{};
  std::array<double, lanes> absolute{};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = predicted[i] - truth[i];
    squared[i % lanes] += error * error;
    absolute[i % lanes] += std::fabs(error);
  }
  for (std::size_t width = lanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      squared[lane] += squared[lane + width];
      absolute[lane] += absolute[lane + width];
    }
  }
  return {squared[0], absolute[0]};
}

double score_of_counts(Metric metric, std::span<const ClassCounts> counts, std::int32_t positive) {
  double rows = 0;
  double hits = 0;
  for (const ClassCounts& c : counts) {
    rows += c.members;
    hits += c.hits;
  }
  if (rows == 0) return nan;
  const auto place = static_cast<std::size_t>(positive);
  const ClassCounts of_positive = place < counts.size() ? counts[place] : ClassCounts{};
  switch (metric) {
    case Metric::accuracy:
    case Metric::f1_micro: return hits / rows;  // one label a row: wrong rows are false both ways
    case Metric::balanced_accuracy: return mean_recall(counts);
    case Metric::f1_macro: return macro(counts, f1_of);
    case Metric::precision_macro: return macro(counts, precision_of);
    case Metric::recall_macro: return macro(counts, recall_of);
    case Metric::f1_weighted: return weighted_f1(counts, rows);
    case Metric::f1: return f1_of(of_positive);
    case Metric::precision: return precision_of(of_positive);
    case Metric::recall: return recall_of(of_positive);
    default: throw InternalError("a metric of counts was expected");
  }
}

double score_of_probabilities(Metric metric, std::span<const double> probabilities, std::span<const std::int32_t> truth,
                              std::int32_t classes, std::int32_t positive) {
  const auto k = static_cast<std::size_t>(classes);
  if (probabilities.size() != truth.size() * k) {
    throw UsageError(
        fmt::format("{} probabilities for {} rows and {} classes", probabilities.size(), truth.size(), classes));
  }
  for (const std::int32_t label : truth) check_label(label, classes);
  if (truth.empty() || classes < 2) return nan;
  if (metric == Metric::neg_log_loss) return -log_loss(probabilities, truth, k);
  if (metric == Metric::roc_auc) return roc_auc(probabilities, truth, k, positive);
  if (metric != Metric::roc_auc_ovr) throw InternalError("a metric of probabilities was expected");
  if (classes == 2) return roc_auc(probabilities, truth, k, 1);
  double sum = 0;
  for (std::int32_t c = 0; c < classes; ++c) sum += roc_auc(probabilities, truth, k, c);
  return sum / classes;  // NaN when a class is not among the rows, as in scikit-learn
}

double score_of_errors(Metric metric, const ErrorSums& sums, std::span<const double> truth) {
  if (truth.empty()) return nan;
  const auto rows = static_cast<double>(truth.size());
  switch (metric) {
    case Metric::r2: return truth.size() < 2 ? nan : r2_of(sums.squared, spread_of(truth).squares);
    case Metric::neg_mean_squared_error: return 0 - sums.squared / rows;  // not -x: that of 0 is a negative zero
    case Metric::neg_root_mean_squared_error: return 0 - std::sqrt(sums.squared / rows);
    case Metric::neg_mean_absolute_error: return 0 - sums.absolute / rows;
    default: throw InternalError("a metric of numbers was expected");
  }
}

double accuracy(std::span<const std::int32_t> predicted, std::span<const std::int32_t> truth) {
  std::int32_t last = -1;
  for (const std::span<const std::int32_t> labels : {predicted, truth}) {
    for (const std::int32_t label : labels) last = std::max(last, label);
  }
  return score_of_counts(Metric::accuracy, class_counts(predicted, truth, last + 1));
}

double r2(std::span<const double> predicted, std::span<const double> truth) {
  return score_of_errors(Metric::r2, error_sums(predicted, truth), truth);
}

// Joined as Chan, Golub and LeVeque do ("Algorithms for computing the sample variance", 1983).
void R2Sums::add(std::span<const double> predicted, std::span<const double> truth) {
  const double error = error_sums(predicted, truth).squared;
  if (truth.empty()) return;
  const Spread spread = spread_of(truth);
  const auto more = static_cast<double>(truth.size());
  const auto before = static_cast<double>(rows_);
  if (rows_ == 0) {
    mean_ = spread.mean;
    squares_ = spread.squares;
  } else {
    const double apart = spread.mean - mean_;
    squares_ += spread.squares + apart * apart * before * more / (before + more);
    mean_ += apart * more / (before + more);
  }
  error_ += error;
  rows_ += static_cast<std::int64_t>(truth.size());
}

double R2Sums::value() const { return rows_ < 2 ? nan : r2_of(error_, squares_); }

}  // namespace overtake
