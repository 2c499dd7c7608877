// SPDX-License-Identifier: MIT
// The most that one tree can have, before it is grown.
#pragma once

#include <cstdint>

#include "forest/grow/job.hpp"

namespace overtake::forest {

/// Room for one tree of a job.
struct TreeCapacity {
  std::int64_t rows = 0;  ///< of each of the four lists that devices keep
  std::int64_t nodes = 0;
};

/// `train_rows`: of the job's fold.
[[nodiscard]] TreeCapacity tree_capacity(const ForestJob& job, std::int64_t train_rows);

}  // namespace overtake::forest
