// SPDX-License-Identifier: MIT
// The search without the estimator and the journal: tests run it with their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/estimator.hpp"
#include "search/result/results.hpp"

namespace overtake::search_detail {

/// Checks data, metrics and options and makes an empty result: task, estimator, metrics. Throws UsageError and
/// DataError.
[[nodiscard]] SearchResult checked_result(const Dataset& data, const std::vector<Parameters>& candidates,
                                          const SearchOptions& options);

/// The class that the metric is about; any for those that are about all.
[[nodiscard]] std::int32_t positive_of(Metric metric, const SearchOptions& options);

/// Runs the jobs that `earlier` does not hold, batch by batch, ranks the candidates and refits the best. `log`: told of
/// every batch before the observer is; may be null. What the estimator throws while it runs jobs passes through; a
/// refit that fails is a warning, because the table is worth more than the model.
void run_search(SearchResult& result, const SearchInput& input, Estimator& estimator,
                std::span<const JobRecord> earlier = {}, JobLog* log = nullptr);

}  // namespace overtake::search_detail
