// SPDX-License-Identifier: MIT
// A small search with a journal, and what another program may do to the file.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "overtake/search.hpp"
#include "search/journal/journal.hpp"
#include "search_support.hpp"

namespace overtake::test {

namespace fs = std::filesystem;
using search_detail::Job;
using search_detail::JobRecord;
using search_detail::Journal;

/// 6 candidates on 3 folds, batches of 4 jobs.
struct Bench {
  Dataset data = labelled({0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 2);
  std::vector<Parameters> candidates = depths(6);
  SearchOptions options = [] {
    SearchOptions o;
    o.folds.n_splits = 3;
    o.metrics = {Metric::accuracy, Metric::f1_macro};
    return o;
  }();
  std::vector<Fold> folds = make_folds(data, options.folds);

  SearchResult empty() const { return search_detail::checked_result(data, candidates, options); }
  search_detail::SearchInput input() const { return {data, candidates, folds, options}; }

  /// The whole search; `jobs_run`: how many of its jobs the estimator ran.
  SearchResult run(const fs::path& path, std::size_t* jobs_run = nullptr, int throw_in_batch = -1) const {
    SearchResult result = empty();
    FakeEstimator estimator(data, folds, candidates.size());
    estimator.throw_in_batch = throw_in_batch;
    std::optional<Journal> journal;
    std::vector<JobRecord> earlier;
    if (!path.empty()) {
      journal.emplace(path, input(), result);
      earlier = journal->records();
    }
    search_detail::run_search(result, input(), estimator, earlier, journal ? &*journal : nullptr);
    if (journal) journal->finish(result);
    if (jobs_run != nullptr) *jobs_run = estimator.ran.size();
    return result;
  }
};

/// Runs SQL on a database as another program would.
inline void change(const fs::path& path, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(handle);
}

}  // namespace overtake::test
