// SPDX-License-Identifier: MIT
#include "overtake/search.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "overtake/error.hpp"
#include "search/estimator.hpp"
#include "search/journal/journal.hpp"
#include "search/runner.hpp"

namespace overtake {

namespace search_detail {

namespace {

std::vector<Fold> with_training_rows(std::vector<Fold> folds) {
  for (Fold& fold : folds) fold.test.insert(fold.test.end(), fold.train.begin(), fold.train.end());
  return folds;
}

void check_journal(const SearchOptions& options) {
  if (options.journal.empty() || !(options.train_scores || options.keep_predictions)) return;
  throw UsageError(fmt::format("a journal keeps the scores of the test rows alone, and {} asked for",
                               options.keep_predictions ? "predictions are" : "scores of the training rows are"),
                   "Search without a journal, or without them.");
}

SearchResult search_and_record(const Dataset& data, const std::vector<Parameters>& candidates,
                               const SearchOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransferStats before = transfer_stats();
  check_journal(options);
  SearchResult result = checked_result(data, candidates, options);
  std::string warning;
  const std::vector<Fold> folds = folds_of(data, options, &warning);
  if (!warning.empty()) result.warnings.push_back(warning);
  // Estimators score the rows that they trained on behind the test rows; the runner takes them apart.
  const std::vector<Fold> scored = options.train_scores ? with_training_rows(folds) : folds;
  const SearchInput input{data, candidates, scored, options};
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
  result.transfers = transfers_since(before);
  result.timing.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (journal) journal->finish(result);
  return result;
}

/// Ends a search before its first batch.
class EndsAtPlan final : public SearchObserver {
 public:
  void on_plan(const SearchPlan& /*plan*/) override { stop.request(); }
  StopToken stop;
};

}  // namespace

}  // namespace search_detail

SearchResult search(const Dataset& data, const std::vector<Parameters>& candidates, const SearchOptions& options) {
  return search_detail::search_and_record(data, candidates, options);
}

SearchPlan check_search(const Dataset& data, const std::vector<Parameters>& candidates, SearchOptions options) {
  search_detail::EndsAtPlan end;
  options.journal.clear();
  options.refit_stopped = false;
  options.observer = &end;
  options.stop = &end.stop;
  return search(data, candidates, options).plan;
}

}  // namespace overtake
