// SPDX-License-Identifier: MIT
// What forests of a search grow from: the binned data, the folds, the weights, and each candidate's numbers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "forest/grow/grower.hpp"
#include "forest/model/resolve.hpp"
#include "forest/problem/problem.hpp"
#include "search/estimator.hpp"

namespace overtake::forest {

/// The data as one kind of candidate sees it: max_bins shapes the bins, the criterion poisson the targets. Its last
/// fold trains on all rows and scores none.
struct BinnedSet {
  int max_bins = 0;
  Criterion criterion = Criterion::gini;  ///< of some candidate: all are poisson, or none is
  Problem problem;
  std::map<std::string, std::int32_t> weights_of;
  std::array<std::unique_ptr<Grower>, 2> growers;  ///< of each device, made when first asked for
};

/// A candidate in numbers.
struct Candidate {
  ForestParameters parameters;
  std::string problem;  ///< why it cannot be trained; empty: it can
  std::size_t set = 0;
  std::vector<Resolved> of_fold;  ///< one a fold, then that of all rows
};

/// Prepares every candidate of a search, which must outlive it.
class PreparedCandidates {
 public:
  /// Throws UsageError for unknown parameter names and values that are never valid.
  PreparedCandidates(ForestKind kind, const search_detail::SearchInput& input);

  [[nodiscard]] const std::vector<Candidate>& candidates() const noexcept { return candidates_; }
  [[nodiscard]] const Problem& problem(std::size_t set) const { return sets_[set]->problem; }
  /// Of one of the search's devices. Two threads may ask at once, for two devices.
  [[nodiscard]] Grower& grower(std::size_t set, std::size_t device = search_detail::main_device);
  /// Has growers plan with that part of what they could have (1) within a limit of the computer's memory.
  void limit_growers(double part);
  [[nodiscard]] const std::vector<std::unique_ptr<BinnedSet>>& all() const noexcept { return sets_; }

 private:
  [[nodiscard]] std::size_t set_for(const ForestParameters& parameters);
  void resolve_folds(Candidate& candidate);
  [[nodiscard]] std::int32_t weights_for(BinnedSet& set, const ForestParameters& parameters, const ForestJob& job);

  const Dataset& data_;
  const SearchOptions& options_;
  std::vector<Fold> folds_;
  std::vector<double> fold_weight_;
  std::vector<std::unique_ptr<BinnedSet>> sets_;
  std::vector<Candidate> candidates_;
  double growers_part_ = 1;
};

}  // namespace overtake::forest
