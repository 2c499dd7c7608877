// SPDX-License-Identifier: MIT
// From the parameters a user gives to the numbers that growers take.
#pragma once

#include <cstdint>
#include <vector>

#include "forest/grow/job.hpp"

namespace overtake::forest {

/// What the shares among the parameters are shares of.
struct Scope {
  std::int32_t features = 0;
  std::int64_t rows = 0;     ///< to train on
  double total_weight = 0;   ///< of those rows
  std::int32_t fold = 0;     ///< index into Problem::folds
  std::int32_t weights = 0;  ///< index into Problem::weights
};

/// A job that grows exactly this forest, and the view that shows it whole (View::job is 0).
struct Resolved {
  ForestJob job;
  View view;
};

/// scikit-learn's rules: sqrt, log2 and shares of features are rounded down but at least 1; shares of rows rounded up
/// (max_samples: down, at least 1, as scikit-learn 1.9 does). Throws DataError for a number beyond what the data has.
[[nodiscard]] Resolved resolve(const ForestParameters& parameters, const Scope& scope);

/// Whether two jobs may come from one grown forest: all but trees, max_depth and min_samples_split are equal.
[[nodiscard]] bool can_share(const ForestJob& a, const ForestJob& b);

/// Makes `job` hold `other` too.
void widen(ForestJob& job, const ForestJob& other);

}  // namespace overtake::forest
