// SPDX-License-Identifier: MIT
// From scores of single jobs to the table: means, spreads, ranks, the best.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "search/estimator.hpp"

namespace overtake::search_detail {

/// What is kept of a finished job.
struct JobRecord {
  Job job;
  std::vector<double> scores;  ///< one a metric; NaN: not defined or failed
  std::string failure;         ///< empty, or why it failed
  double fit_seconds = 0;      ///< share of the batch's time
  double score_seconds = 0;
  /// Where they are asked for: scores of the training rows, and what was predicted for the test and training rows.
  std::vector<double> train_scores{}, predictions{}, train_predictions{};
};

/// Where finished jobs are written down as they come.
class JobLog {
 public:
  virtual ~JobLog() = default;
  /// All of them or, when the process ends here, none.
  virtual void append(std::span<const JobRecord> records) = 0;
};

/// The mean, added up in the order NumPy uses: the bits of scikit-learn's. NaN for no values.
[[nodiscard]] double mean_of(std::span<const double> values);
/// Standard deviation, ddof 0.
[[nodiscard]] double deviation_of(std::span<const double> values, double mean);
/// Means tie where they differ by no more than this share of the larger: one sum, added up in another order.
inline constexpr double tie_tolerance = 1e-12;
/// 1 is the largest; a value within tie_tolerance of the largest of its group ties with it, and ties share the smallest
/// rank; NaN ranks after all others (1 if all are NaN), as in scikit-learn.
[[nodiscard]] std::vector<int> ranks_of(std::span<const double> means);

/// The table of a search while it fills. Rows that are not done have rank 0 and no mean.
class ScoreTable {
 public:
  /// Makes result.rows from `candidates`. `result.metrics` must be set; `result` must outlive the table.
  ScoreTable(SearchResult& result, const std::vector<Parameters>& candidates, int folds);

  /// Throws InternalError for a job outside of the table or that is there already.
  void add(JobRecord record);
  [[nodiscard]] bool has(Job job) const;
  [[nodiscard]] std::int64_t jobs_done() const noexcept { return jobs_done_; }
  /// Means, spreads, ranks and the best of the rows that are done.
  void summarise();

 private:
  [[nodiscard]] std::size_t place(Job job) const;
  void keep(std::vector<double>& predictions, std::int32_t fold, std::vector<std::vector<double>>& to) const;

  SearchResult* result_;
  std::size_t folds_;
  std::vector<std::uint8_t> done_;  ///< candidate x fold
  std::vector<int> left_;           ///< jobs that each candidate waits for
  std::vector<int> failed_fold_;    ///< whose failure the row names: the first fold's, in whatever order they come
  std::vector<double> fit_seconds_, score_seconds_;
  std::int64_t jobs_done_ = 0;
};

}  // namespace overtake::search_detail
