// SPDX-License-Identifier: MIT
// Whether two data sets are the same, known by a line of text of the first.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "overtake/data/dataset.hpp"

namespace overtake::forest {

/// "rows=150 features=4 inputs=<hash> targets=<hash> weights=<hash> in_any_order=<hash>": equal for equal data, row by
/// row. Targets are labels or numbers in double. What trains alike is equal: every NaN is one missing value, -0 is 0,
/// and weights that are all 1 are no weights. `in_any_order` does not depend on the order of the rows.
[[nodiscard]] std::string data_fingerprint(const Dataset& data, std::span<const float> sample_weight);

/// What differs between two fingerprints, in words ("the rows are in another order"); empty when they are equal.
[[nodiscard]] std::string data_difference(std::string_view earlier, std::string_view now);

}  // namespace overtake::forest
