// SPDX-License-Identifier: MIT
// Does the first record of a file hold names or data?
#pragma once

#include "data/cell.hpp"
#include "data/csv_records.hpp"

namespace overtake::data {

/// The header rule of read_table(). `second` is nullptr for a file of one record.
[[nodiscard]] bool looks_like_header(const Record& first, const Record* second, const CellRules& rules);

/// True for 1,2,3 or 2019,2020,2021: at least three whole numbers, each one more than the last. Such a record may be
/// data or names.
[[nodiscard]] bool counts_upwards(const Record& first);

}  // namespace overtake::data
