// SPDX-License-Identifier: MIT
#include "overtake/search.hpp"

#include <chrono>
#include <optional>

#include "search/estimator.hpp"
#include "search/journal/journal.hpp"
#include "search/runner.hpp"

namespace overtake {

namespace search_detail {

namespace {

SearchResult search_and_record(const Dataset& data, const std::vector<Parameters>& candidates,
                               const SearchOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  SearchResult result = checked_result(data, candidates, options);
  std::string warning;
  const std::vector<Fold> folds = make_folds(data, options.folds, options.groups, &warning);
  if (!warning.empty()) result.warnings.push_back(warning);
  const SearchInput input{data, candidates, folds, options};
  // Before the journal: wrong parameters must not leave a file behind.
  const std::unique_ptr<Estimator> estimator = estimator_named(options.estimator).make(input);
  for (std::string& note : estimator->notes()) result.warnings.push_back(std::move(note));
  std::optional<Journal> journal;
  std::vector<JobRecord> earlier;
  if (!options.journal.empty()) {
    journal.emplace(options.journal, input, result);
    earlier = journal->records();
    if (std::string note = journal->note(); !note.empty()) result.warnings.push_back(std::move(note));
  }
  run_search(result, input, *estimator, earlier, journal ? &*journal : nullptr);
  result.timing.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (journal) journal->finish(result);
  return result;
}

}  // namespace

}  // namespace search_detail

SearchResult search(const Dataset& data, const std::vector<Parameters>& candidates, const SearchOptions& options) {
  return search_detail::search_and_record(data, candidates, options);
}

}  // namespace overtake
