// SPDX-License-Identifier: MIT
#include "forest/grow/capacity.hpp"

#include <algorithm>
#include <cmath>

namespace overtake::forest {

TreeCapacity tree_capacity(const ForestJob& job, std::int64_t train_rows) {
  TreeCapacity capacity;
  capacity.rows = train_rows;
  if (job.bootstrap) {
    // Distinct rows among the draws: n (1 - e^(-draws/n)), with a standard deviation below 0.5 sqrt(n). Draws are
    // counted in two lists, so these hold at least one word for each training row.
    const auto n = static_cast<double>(train_rows);
    const double expected = n * -std::expm1(-static_cast<double>(job.draws) / n);
    const auto likely = static_cast<std::int64_t>(expected + 12 * std::sqrt(n)) + 64;
    capacity.rows = std::min({train_rows, job.draws, likely});
    capacity.rows = std::max(capacity.rows, (train_rows + 1) / 2);
  } else {
    capacity.rows = std::max<std::int64_t>(capacity.rows, 1);
  }
  std::int64_t leaves = std::max<std::int64_t>(1, capacity.rows / std::max(1, job.rule.min_samples_leaf));
  if (job.max_depth < 40) leaves = std::min(leaves, std::int64_t{1} << job.max_depth);
  capacity.nodes = 2 * leaves + 1;
  return capacity;
}

}  // namespace overtake::forest
