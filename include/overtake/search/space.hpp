// SPDX-License-Identifier: MIT
// What a search tries: grids and random draws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/parameters.hpp"

namespace overtake {

/// One axis of a grid.
struct GridAxis {
  std::string name;
  std::vector<ParameterValue> values;
};

/// "max_depth=none,3,5,10", or the values as a JSON list: 'class_weight=[{"a":1,"b":2},"balanced",null]', where an
/// object stays one value, its JSON text. Throws UsageError with the form that is expected.
[[nodiscard]] GridAxis parse_grid_axis(std::string_view text);

/// Every combination of grid_candidates({{"max_depth", {parameter::none, 3, 5}}, {"criterion", {"gini", "entropy"}}}),
/// in scikit-learn's ParameterGrid order: names sorted, the last name varies fastest.
[[nodiscard]] std::vector<Parameters> grid_candidates(std::vector<GridAxis> axes);

/// One random parameter.
struct Distribution {
  enum class Kind : std::uint8_t { choice, integer, log_integer, uniform, log_uniform } kind = Kind::choice;
  std::string name;
  double low = 0, high = 0;            ///< inclusive for whole numbers, [low, high) otherwise
  std::vector<ParameterValue> values;  ///< of choice
};

/// "max_depth=int(2,20)", "x=uniform(0.1,1)", "y=log-int(1,64)", "z=log-uniform(1e-4,1)", "criterion=gini,entropy" or
/// "criterion=choice(gini,entropy)". Throws UsageError.
[[nodiscard]] Distribution parse_distribution(std::string_view text);

/// At most `count` candidates that differ, drawn by Philox from `seed` (draw i, parameter j by name order): independent
/// of everything else, so the first 50 of 100 are the same 50. No candidate comes twice: where every axis is a choice
/// they are the first of a shuffled list of all combinations, else a draw that repeats an earlier one is drawn again. A
/// space with fewer combinations gives fewer candidates: all of them, but for such as are too rare to come up.
[[nodiscard]] std::vector<Parameters> random_candidates(const std::vector<Distribution>& space, int count,
                                                        std::uint64_t seed);

}  // namespace overtake
