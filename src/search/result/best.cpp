// SPDX-License-Identifier: MIT
#include "overtake/error.hpp"
#include "overtake/search.hpp"

namespace overtake {

namespace {

const SearchRow& best_row(const SearchResult& result) {
  if (result.best_index < 0) throw UsageError("no candidate of the search has a score", "SearchResult::rows say why.");
  return result.rows[static_cast<std::size_t>(result.best_index)];
}

}  // namespace

const Parameters& best_parameters(const SearchResult& result) { return best_row(result).parameters; }
double best_score(const SearchResult& result) { return best_row(result).mean[result.refit_metric]; }

}  // namespace overtake
