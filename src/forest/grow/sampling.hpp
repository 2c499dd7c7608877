// SPDX-License-Identifier: MIT
// A job as its rules are read, and the rows that a tree sees with their weights, on the host.
#pragma once

#include <cstdint>
#include <vector>

#include "forest/grow/formulas.hpp"
#include "forest/grow/job.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// What the rules of growth (kernels/forest/split.k) read of a job; its rows are left out. Throws DataError for more
/// features than the place of a split (forest_place) can name.
[[nodiscard]] JobRow job_row(const Problem& problem, const ForestJob& job);

/// The positions, below `rows`, that `tree` of a job with bootstrap draws, in the order of drawing.
[[nodiscard]] std::vector<std::int32_t> drawn_positions(const ForestJob& job, std::int64_t rows, std::int32_t tree);

/// How often each training row of the job's fold is drawn by `tree` (1 each without bootstrap), by position in the
/// fold. When all drawn rows weigh nothing, drawing goes on until one does.
[[nodiscard]] std::vector<std::uint32_t> draw_counts(const Problem& problem, const ForestJob& job, std::int32_t tree);

/// Whether some tree may well have to go on drawing: rows without weight are so many, or draws so few.
[[nodiscard]] bool may_draw_nothing(const Problem& problem, const ForestJob& job);

/// The factor of each class when every tree is balanced on its own (docs/forests.md); all 1 otherwise.
[[nodiscard]] std::vector<double> class_factors(const Problem& problem, const ForestJob& job,
                                                const std::vector<std::uint32_t>& counts);

/// The fixed-point weight of each training row, by position in the fold; 0: the tree does not see it.
[[nodiscard]] std::vector<std::uint32_t> tree_weights(const Problem& problem, const ForestJob& job, std::int32_t tree);

}  // namespace overtake::forest
