// SPDX-License-Identifier: MIT
// Does the first record of a file hold names or data?
#pragma once

#include "data/table/csv_records.hpp"
#include "data/text/cell.hpp"

namespace overtake::data {

/// The header rule of read_table(). `second` is nullptr for a file of one record.
[[nodiscard]] bool looks_like_header(const Record& first, const Record* second, const CellRules& rules);

/// True for whole numbers that count up or down by one, or years at equal distances, as names of columns often are:
/// 0,1,2 or 2019,2021,2023; behind an empty first cell too, as tables with row numbers have it. They may as well be
/// data.
[[nodiscard]] bool looks_counted(const Record& first, const CellRules& rules);

}  // namespace overtake::data
