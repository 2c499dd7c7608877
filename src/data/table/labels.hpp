// SPDX-License-Identifier: MIT
// Cells of a target against the classes of a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/data/labels.hpp"

namespace overtake::data {

/// The place of every cell of a column in `classes`, compared as numbers if `numeric`, else as the text they are.
/// Throws DataError with the position for a missing or unknown class.
[[nodiscard]] std::vector<std::int32_t> encode_labels(const Table& table, std::size_t column,
                                                      const std::vector<std::string>& classes, bool numeric);

}  // namespace overtake::data
