// SPDX-License-Identifier: MIT
// What forests of a search grow from: the binned data, the folds, the weights, and each candidate's numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "forest/grow/grower.hpp"
#include "forest/model/resolve.hpp"
#include "forest/problem/problem.hpp"
#include "overtake/search.hpp"

namespace overtake::search_detail {

/// The data as one kind of candidate sees it: max_bins shapes the bins, poisson the targets. Its last fold trains on
/// all rows and scores none.
struct ForestGround {
  int max_bins = 0;
  bool poisson = false;
  Criterion criterion = Criterion::gini;  ///< of some candidate, for the targets
  forest::Problem problem;
  std::map<std::string, std::int32_t> weights_of;
  std::unique_ptr<forest::Grower> grower;  ///< made when first asked for
};

/// A candidate in numbers.
struct ForestCandidate {
  ForestParameters parameters;
  std::string problem;  ///< why it cannot be trained; empty: it can
  std::size_t ground = 0;
  std::vector<forest::Resolved> of_fold;  ///< one a fold, then that of all rows
};

/// Prepares every candidate. `data`, `folds` and `options` must outlive it.
class ForestGrounds {
 public:
  /// Throws UsageError for unknown parameter names and values that are never valid.
  ForestGrounds(const Dataset& data, const std::vector<Parameters>& candidates, const std::vector<Fold>& folds,
                const SearchOptions& options);

  [[nodiscard]] const std::vector<ForestCandidate>& candidates() const noexcept { return candidates_; }
  [[nodiscard]] const forest::Problem& problem(std::size_t ground) const { return grounds_[ground]->problem; }
  [[nodiscard]] forest::Grower& grower(std::size_t ground);
  [[nodiscard]] const std::vector<std::unique_ptr<ForestGround>>& all() const noexcept { return grounds_; }

 private:
  [[nodiscard]] ForestParameters parameters_of(const Parameters& candidate) const;
  [[nodiscard]] std::size_t ground_for(const ForestParameters& parameters);
  void resolve_folds(ForestCandidate& candidate);
  [[nodiscard]] std::int32_t weights_for(ForestGround& ground, const ForestParameters& parameters,
                                         const forest::ForestJob& job);

  const Dataset& data_;
  const SearchOptions& options_;
  std::vector<forest::RowSets> folds_;
  std::vector<double> fold_weight_;
  std::vector<std::unique_ptr<ForestGround>> grounds_;
  std::vector<ForestCandidate> candidates_;
};

}  // namespace overtake::search_detail
