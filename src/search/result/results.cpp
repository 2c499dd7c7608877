// SPDX-License-Identifier: MIT
#include "search/result/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "overtake/error.hpp"

namespace overtake {

namespace search_detail {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// NumPy's pairwise sum: one after another below 8 values, 8 running sums up to 128, halves beyond.
double pairwise_sum(std::span<const double> values) {
  const std::size_t n = values.size();
  if (n < 8) return std::accumulate(values.begin(), values.end(), -0.0);
  if (n > 128) {
    const std::size_t half = n / 2 - n / 2 % 8;
    return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
  }
  std::array<double, 8> r{};
  std::copy_n(values.begin(), 8, r.begin());
  std::size_t i = 8;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) r[j] += values[i + j];
  }
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; ++i) sum += values[i];
  return sum;
}

/// Whether rounding alone may have told two means apart.
bool tie(double larger, double smaller) {
  if (std::isnan(larger) || std::isnan(smaller)) return std::isnan(larger) && std::isnan(smaller);
  if (larger == smaller) return true;
  if (!std::isfinite(larger) || !std::isfinite(smaller)) return false;
  return larger - smaller <= tie_tolerance * std::max(std::abs(larger), std::abs(smaller));
}

std::vector<std::string> names_of(const std::vector<Parameters>& candidates) {
  std::set<std::string> names;
  for (const Parameters& parameters : candidates) {
    for (const auto& [name, value] : parameters) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return nan;
  return pairwise_sum(values) / static_cast<double>(values.size());
}

double deviation_of(std::span<const double> values, double mean) {
  std::vector<double> squares;
  squares.reserve(values.size());
  for (const double value : values) squares.push_back((value - mean) * (value - mean));
  return std::sqrt(mean_of(squares));
}

std::vector<int> ranks_of(std::span<const double> means) {
  std::vector<std::size_t> order(means.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto better = [&](std::size_t a, std::size_t b) {
    if (std::isnan(means[a]) || std::isnan(means[b])) return !std::isnan(means[a]) && std::isnan(means[b]);
    return means[a] > means[b];
  };
  std::stable_sort(order.begin(), order.end(), better);
  std::vector<int> ranks(means.size());
  std::size_t first = 0;  // of the values that tie
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!tie(means[order[first]], means[order[i]])) first = i;
    ranks[order[i]] = static_cast<int>(first) + 1;
  }
  return ranks;
}

ScoreTable::ScoreTable(SearchResult& result, const std::vector<Parameters>& candidates, int folds)
    : result_(&result),
      folds_(static_cast<std::size_t>(folds)),
      done_(candidates.size() * folds_),
      left_(candidates.size(), folds),
      failed_fold_(candidates.size(), folds),
      fit_seconds_(candidates.size()),
      score_seconds_(candidates.size()) {
  const std::size_t metrics = result.metrics.size();
  result.parameter_names = names_of(candidates);
  result.rows.clear();
  result.rows.reserve(candidates.size());
  for (const Parameters& parameters : candidates) {
    SearchRow row;
    row.parameters = parameters;
    row.mean_fit_seconds = row.mean_score_seconds = nan;
    row.scores.assign(metrics, std::vector<double>(folds_, nan));
    row.mean.assign(metrics, nan);
    row.std.assign(metrics, nan);
    row.rank.assign(metrics, 0);
    result.rows.push_back(std::move(row));
  }
}

std::size_t ScoreTable::place(Job job) const {
  const auto candidate = static_cast<std::size_t>(job.candidate);
  const auto fold = static_cast<std::size_t>(job.fold);
  if (job.candidate < 0 || job.fold < 0 || candidate >= left_.size() || fold >= folds_) {
    throw InternalError(fmt::format("candidate {}, fold {} is not in the table", job.candidate, job.fold));
  }
  return candidate * folds_ + fold;
}

bool ScoreTable::has(Job job) const { return done_[place(job)] != 0; }

void ScoreTable::add(JobRecord record) {
  std::uint8_t& done = done_[place(record.job)];
  if (done != 0 || record.scores.size() != result_->metrics.size()) {
    throw InternalError(
        fmt::format("candidate {}, fold {}: scored twice or by other metrics", record.job.candidate, record.job.fold));
  }
  done = 1;
  ++jobs_done_;
  const auto candidate = static_cast<std::size_t>(record.job.candidate);
  SearchRow& row = result_->rows[candidate];
  for (std::size_t m = 0; m < record.scores.size(); ++m) {
    row.scores[m][static_cast<std::size_t>(record.job.fold)] = record.failure.empty() ? record.scores[m] : nan;
  }
  if (!record.train_scores.empty()) {
    row.train_scores.resize(record.train_scores.size(), std::vector<double>(folds_, nan));
    for (std::size_t m = 0; m < record.train_scores.size(); ++m) {
      row.train_scores[m][static_cast<std::size_t>(record.job.fold)] = record.train_scores[m];
    }
  }
  keep(record.predictions, record.job.fold, row.predictions);
  keep(record.train_predictions, record.job.fold, row.train_predictions);
  if (!record.failure.empty() && record.job.fold < failed_fold_[candidate]) {
    row.failure = record.failure;
    failed_fold_[candidate] = record.job.fold;
  }
  fit_seconds_[candidate] += record.fit_seconds;
  score_seconds_[candidate] += record.score_seconds;
  row.done = --left_[candidate] == 0;
}

void ScoreTable::keep(std::vector<double>& predictions, std::int32_t fold, std::vector<std::vector<double>>& to) const {
  if (predictions.empty()) return;
  to.resize(folds_);
  to[static_cast<std::size_t>(fold)] = std::move(predictions);
}

void ScoreTable::summarise() {
  const auto folds = static_cast<double>(folds_);
  std::vector<std::size_t> finished;
  for (std::size_t c = 0; c < result_->rows.size(); ++c) {
    SearchRow& row = result_->rows[c];
    if (!row.done) continue;
    finished.push_back(c);
    row.mean_fit_seconds = fit_seconds_[c] / folds;
    row.mean_score_seconds = score_seconds_[c] / folds;
    for (std::size_t m = 0; m < row.scores.size(); ++m) {
      row.mean[m] = mean_of(row.scores[m]);
      row.std[m] = deviation_of(row.scores[m], row.mean[m]);
    }
    row.train_mean.resize(row.train_scores.size());
    row.train_std.resize(row.train_scores.size());
    for (std::size_t m = 0; m < row.train_scores.size(); ++m) {
      row.train_mean[m] = mean_of(row.train_scores[m]);
      row.train_std[m] = deviation_of(row.train_scores[m], row.train_mean[m]);
    }
  }
  for (std::size_t m = 0; m < result_->metrics.size(); ++m) {
    std::vector<double> means;
    means.reserve(finished.size());
    for (const std::size_t c : finished) means.push_back(result_->rows[c].mean[m]);
    const std::vector<int> ranks = ranks_of(means);
    for (std::size_t i = 0; i < finished.size(); ++i) result_->rows[finished[i]].rank[m] = ranks[i];
  }
  rank_by(*result_, result_->refit_metric);
}

}  // namespace search_detail

void rank_by(SearchResult& result, std::size_t metric) {
  if (metric >= result.metrics.size()) {
    throw UsageError(fmt::format("metric number {} of {}", metric, result.metrics.size()));
  }
  result.refit_metric = metric;
  result.best_index = -1;
  result.best_ties = 0;
  for (std::size_t c = 0; c < result.rows.size(); ++c) {
    const SearchRow& row = result.rows[c];
    if (!row.done || row.rank[metric] != 1 || std::isnan(row.mean[metric])) continue;
    if (result.best_index < 0) result.best_index = static_cast<int>(c);
    ++result.best_ties;
  }
}

}  // namespace overtake
