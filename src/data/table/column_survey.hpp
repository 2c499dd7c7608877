// SPDX-License-Identifier: MIT
// What the cells of a column turn out to be, counted while they are read; over all parts of a file that comes in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/memory_meter.hpp"
#include "data/table/raw_column.hpp"
#include "data/text/cell.hpp"
#include "data/text/lookalike.hpp"

namespace overtake::data {

/// Cells of one sort: how many, and the first.
struct Sort {
  std::size_t count = 0;
  std::int64_t line = 0;  ///< at which the record of the first begins
  std::string text;       ///< the first

  void add(std::int64_t at, std::string_view cell) {
    if (count++ > 0) return;
    line = at;
    text = cell;
  }
};

/// The cells of a column by sort.
struct Survey {
  Sort numbers, days, words, alike;
  Sort dates, times;                 ///< of the days: with a date, or a time of the day alone
  std::optional<Lookalike> example;  ///< of `alike`
  bool one_unit = true;              ///< every lookalike has the example's unit
  std::vector<Sort> in_unit;         ///< numbers with each of the notation's units
  Sort bare;                         ///< numbers other than 0 without a unit
  bool leading_zeros = false;
  bool beyond_whole = false;

  /// True where all cells that are not missing are numbers, or all are days.
  [[nodiscard]] bool is_numeric() const noexcept {
    return words.count + alike.count == 0 && (days.count == 0 || numbers.count == 0);
  }
};

/// Adds the cells of `raw` to `found` and returns their values, NaN where there is none. `lines`: where each row
/// begins. Numbers that all are dates of the format that was given count as days. Adds words that were taken as missing
/// to `missing_seen`, and takes the values from the meter (throws DeviceError).
[[nodiscard]] std::vector<double> survey(const RawColumn& raw, std::span<const std::int64_t> lines,
                                         const CellRules& rules, Survey& found, std::set<std::string>& missing_seen,
                                         MemoryMeter& memory);

}  // namespace overtake::data
