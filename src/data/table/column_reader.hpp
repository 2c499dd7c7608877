// SPDX-License-Identifier: MIT
// What the cells of a column make of it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "data/source/memory_meter.hpp"
#include "data/table/column_survey.hpp"
#include "data/table/raw_column.hpp"
#include "data/text/cell.hpp"

namespace overtake::data {

/// What a file's column is for.
enum class ColumnUse : std::uint8_t {
  judged,         ///< a feature or target: its kind follows from its cells
  declared_text,  ///< text, words for "missing" included
  numeric,        ///< must be numbers
  days,           ///< must be dates or times
  names,          ///< any cells; the spelling counts
  ignored,        ///< nobody looks at it
};

/// A judgement that cannot be made: at which record, and what is wrong.
struct ColumnProblem {
  std::int64_t line = 0;  ///< at which the record begins
  std::string message;    ///< "expected ..., found ..."
  std::string cure;       ///< "--decimal ','"; empty: only --text or a correction helps
  std::string word;       ///< a word among numbers, which may mean a missing cell; empty: none
};

/// What all columns of a file are read with.
struct ColumnReading {
  const CellRules& rules;
  std::set<std::string>& missing_seen;  ///< gets the words that were taken as missing
  MemoryMeter& memory;                  ///< gives what a column keeps; refuses with DeviceError
};

/// Fills kind, numbers, codes and notes of `column` from its cells, or says why that cannot be done. `lines`: where
/// each row begins. `spelled`: keep codes and categories of a numeric column too.
[[nodiscard]] std::optional<ColumnProblem> read_column(const RawColumn& raw, std::span<const std::int64_t> lines,
                                                       ColumnUse use, bool spelled, const ColumnReading& reading,
                                                       Column& column);

/// The same for some rows of a file, whose earlier ones are counted in `so_far`; `use` is not `judged`. A column that
/// is ignored holds nothing. Names are judged by find_late_problem() alone, as only all rows tell what they are.
[[nodiscard]] std::optional<ColumnProblem> read_column_part(const RawColumn& raw, std::span<const std::int64_t> lines,
                                                            ColumnUse use, Survey& so_far, const ColumnReading& reading,
                                                            Column& column);

/// What is wrong with names once all rows are counted.
[[nodiscard]] std::optional<ColumnProblem> find_late_problem(ColumnUse use, const Survey& all, const CellRules& rules);

}  // namespace overtake::data
