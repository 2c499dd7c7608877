// SPDX-License-Identifier: MIT
// What forests take of the computer's memory beside the data set.
#pragma once

#include <cstdint>

#include "overtake/memory.hpp"

namespace overtake::forest {

/// A forest to train, as far as memory depends on it.
struct ForestNeed {
  std::int64_t rows = 0;
  std::int32_t features = 0;
  std::int32_t classes = 0;  ///< 0: regression
  int max_bins = 0;
  bool weighted = false;  ///< rows differ in weight
  bool out_of_bag = false;
  std::int64_t trees = 0, earlier_trees = 0;
  double nodes = 1;                ///< of a tree; 1: the least
  std::uint64_t device_bytes = 0;  ///< of a batch on a device whose memory is the host's
  int growing = 0;                 ///< trees that threads of the host grow at a time; 0: a device grows them
};

/// What makes forests smaller, for people.
inline constexpr const char* smaller_forests =
    "lower n_estimators, max_depth or max_leaf_nodes, or raise min_samples_leaf, or train on fewer rows.";

/// Bytes of a set of features in bins, as bin_features() makes it. `widest`: the most bins of any of them.
[[nodiscard]] std::uint64_t binned_bytes(std::int64_t rows, std::int32_t features, int widest);
/// Bytes of a tree as it is grown and not finished yet.
[[nodiscard]] std::uint64_t grown_bytes(double nodes, std::int32_t classes);

/// The most that is in memory at once while the forest is trained and its rows are predicted: while it grows, while it
/// is finished, or while it answers.
[[nodiscard]] MemoryPlan host_memory_of(const ForestNeed& need);

}  // namespace overtake::forest
