// SPDX-License-Identifier: MIT
// GridSearch and RandomSearch.
#include <utility>

#include "overtake/error.hpp"
#include "overtake/search.hpp"

namespace overtake {

namespace {

const SearchResult& fitted(const std::optional<SearchResult>& result) {
  if (!result) throw UsageError("the search has not run", "Call fit() first.");
  return *result;
}

const SearchRow& best_row(const std::optional<SearchResult>& result) {
  const SearchResult& r = fitted(result);
  if (r.best_index < 0) throw UsageError("no candidate of the search has a score", "result().rows say why.");
  return r.rows[static_cast<std::size_t>(r.best_index)];
}

double best_score_of(const std::optional<SearchResult>& result) {
  return best_row(result).mean[fitted(result).refit_metric];
}

const Forest& best_forest_of(const std::optional<SearchResult>& result) {
  const SearchResult& r = fitted(result);
  if (!r.best) throw UsageError("the best candidate was not refitted", "Set SearchOptions::refit; result() says more.");
  return *r.best;
}

}  // namespace

GridSearch::GridSearch(std::vector<GridAxis> grid, SearchOptions options)
    : grid_(std::move(grid)), options_(std::move(options)) {}

GridSearch& GridSearch::fit(const Dataset& data) {
  result_ = search(data, grid_candidates(grid_), options_);
  return *this;
}

const SearchResult& GridSearch::result() const { return fitted(result_); }
const Parameters& GridSearch::best_parameters() const { return best_row(result_).parameters; }
double GridSearch::best_score() const { return best_score_of(result_); }
const Forest& GridSearch::best_forest() const { return best_forest_of(result_); }

RandomSearch::RandomSearch(std::vector<Distribution> space, int n_iter, SearchOptions options)
    : space_(std::move(space)), n_iter_(n_iter), options_(std::move(options)) {}

RandomSearch& RandomSearch::fit(const Dataset& data) {
  result_ = search(data, random_candidates(space_, n_iter_, options_.seed), options_);
  return *this;
}

const SearchResult& RandomSearch::result() const { return fitted(result_); }
const Parameters& RandomSearch::best_parameters() const { return best_row(result_).parameters; }
double RandomSearch::best_score() const { return best_score_of(result_); }
const Forest& RandomSearch::best_forest() const { return best_forest_of(result_); }

}  // namespace overtake
