// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/data/table.hpp"

namespace overtake {

/// The distinct cells of a column that holds names (classes, groups, folds), and which one each row has.
struct Labels {
  std::vector<std::string> names;  ///< sorted: by value if `numeric` or whole numbers of any length, else by code point
  std::vector<std::int32_t> codes;  ///< one a row: an index into `names`, -1 where the cell is missing
  bool numeric = false;             ///< all are plain numbers: equal numbers are one, spelt as first seen
};

/// Reads a column as labels, spelt as in the file where the table was read with TableOptions::spelled, ::names or
/// ::text for it. Labels are numbers if every cell is a plain one: a leading zero (00501), a plus sign, an exponent or
/// more digits than a double holds (2^53, 15 digits with a fraction) in any cell make all of them text. Exact: labels
/// never pass through floating-point numbers unless they are `numeric`. Throws UsageError for a column that is not
/// there.
[[nodiscard]] Labels labels_of(const Table& table, std::size_t column);

}  // namespace overtake
