// SPDX-License-Identifier: MIT
// The rows of a journal that hold results, each with its checksum.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "search/journal/journal_format.hpp"
#include "search/result/results.hpp"

namespace overtake::search_detail {

/// Whether a metric can have this value; NaN stands for one that is not defined.
[[nodiscard]] bool is_possible(Metric metric, double score) noexcept;

/// Of the jobs of one journal: scores are added in the order of `metrics`.
class JobWriter {
 public:
  /// All of them outlive the writer.
  JobWriter(const Database& database, std::string_view seal, const std::vector<Metric>& metrics);
  void add(const JobRecord& record, std::int64_t run);

 private:
  std::string_view seal_;
  const std::vector<Metric>& metrics_;
  Statement job_, score_;
};

/// The scores recorded so far, by candidate and fold. Throws DataError naming the candidate and fold whose rows are not
/// those that were written, do not belong together, or hold what cannot be.
[[nodiscard]] std::vector<JobRecord> read_records(const Database& database, std::string_view seal,
                                                  const JournalSettings& settings);

/// The number of the new run.
[[nodiscard]] std::int64_t add_run(const Database& database, std::string_view seal, const SearchResult& result);
void add_finish(const Database& database, std::string_view seal, std::int64_t run, const SearchResult& result);
/// Into `result`: times and counts of all runs together, the device of the last. Throws DataError as above.
void read_runs(const Database& database, std::string_view seal, SearchResult& result);

}  // namespace overtake::search_detail
