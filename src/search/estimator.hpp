// SPDX-License-Identifier: MIT
// What the search knows of an estimator: how to check candidates, plan jobs, run a batch of them, refit the winner.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overtake/search.hpp"

namespace overtake::search_detail {

/// The unit of a search.
struct Job {
  std::int32_t candidate = 0;
  std::int32_t fold = 0;
  friend bool operator==(const Job&, const Job&) = default;
};

/// Jobs that run together on the device.
struct Batch {
  std::vector<Job> jobs;
  std::int64_t models = 0;  ///< really trained: jobs that share work count once
  std::uint64_t bytes = 0;  ///< planned device memory
};

/// What running cost so far.
struct EstimatorStats {
  std::int64_t launches = 0;
  std::uint64_t peak_bytes = 0;
  SearchTiming timing;  ///< refit and wall are the search's own
};

class Estimator {
 public:
  virtual ~Estimator() = default;
  /// One text a candidate: empty, or why it cannot be trained (a value that does not fit the data).
  [[nodiscard]] virtual std::vector<std::string> check() = 0;
  /// Groups `jobs` into batches that fit in memory; jobs that share work are in one batch. Every job appears once.
  [[nodiscard]] virtual std::vector<Batch> plan(std::span<const Job> jobs) = 0;
  /// Trains and scores; one outcome a job, in order. Nothing when `stop` (may be null) said so before all were scored:
  /// what is half done is no outcome.
  [[nodiscard]] virtual std::optional<std::vector<FoldOutcome>> run(const Batch& batch, bool probabilities,
                                                                    const StopToken* stop) = 0;
  /// Trains a candidate on all rows. Nothing when `stop` (may be null) said so before it was whole.
  [[nodiscard]] virtual std::optional<Forest> refit(std::int32_t candidate, const StopToken* stop) = 0;
  /// What the reader should know of how the data were taken, one sentence each.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
  [[nodiscard]] virtual EstimatorStats stats() const = 0;
};

/// Forests (random forests, extra trees). `data`, `candidates` and `folds` must outlive it. Throws UsageError for
/// unknown parameter names and values that are never valid, DeviceError.
[[nodiscard]] std::unique_ptr<Estimator> make_forest_estimator(const Dataset& data,
                                                               const std::vector<Parameters>& candidates,
                                                               const std::vector<Fold>& folds,
                                                               const SearchOptions& options);

}  // namespace overtake::search_detail
