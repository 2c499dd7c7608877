// SPDX-License-Identifier: MIT
// What a user should know of how the data were taken.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// A sentence about the features that have more distinct values than `max_bins`: the first three by name ("feature 4"
/// where `feature_names` is empty) with their number of values, and how many more. Empty when there are none.
[[nodiscard]] std::vector<std::string> bin_notes(const BinEdges& edges, std::span<const std::string> feature_names,
                                                 int max_bins);

/// A sentence about the rows that weigh too little beside the others to be told apart (count_too_light), with their
/// number and what they count as. Empty when there are none.
[[nodiscard]] std::vector<std::string> weight_notes(const Weights& weights, std::span<const std::int32_t> rows);

/// Adds the texts of `more` that are not there yet.
void add_notes(std::vector<std::string> more, std::vector<std::string>& notes);

}  // namespace overtake::forest
