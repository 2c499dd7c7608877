// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/data/table.hpp"

namespace overtake::report {
class Json;
}

namespace overtake {

/// What was made of one column.
struct ColumnDescription {
  std::string name;
  std::string kind;                   ///< "numeric", "dates", "text"
  std::int64_t missing = 0;           ///< cells
  std::int64_t distinct = 0;          ///< values that are not missing
  std::string lowest, highest;        ///< numbers in their shortest form, dates as ISO 8601; empty: text, or no value
  std::vector<std::string> examples;  ///< the first distinct values, at most three
  std::vector<std::string> notes;     ///< what a reader should know: dates, rounded numbers, names in digits
  std::string float32_note;           ///< where float32 joins values that differ: matters to features only; else empty

  [[nodiscard]] std::vector<std::string> all_notes() const;
};

/// What was made of a file: the decisions that reading it took.
struct TableDescription {
  std::string source;
  Reading reading;
  std::int64_t rows = 0;
  std::int64_t rows_with_missing = 0;
  std::vector<ColumnDescription> columns;
};

/// Describes a table as it was read. `most_rows`: distinct values are counted in at most so many rows, evenly spaced
/// (0: all), everything else in all of them. A numeric column gets a note where float32, which models compute with,
/// joins values that differ in the file.
[[nodiscard]] TableDescription describe(const Table& table, std::int64_t most_rows = 0);

/// "5 columns: 4 numeric, 1 text (species); 3 of 150 rows have missing cells".
[[nodiscard]] std::string summary_of(const TableDescription& description);

/// rows, rows_with_missing, reading {}, columns[] {name, kind, missing, distinct, lowest, highest, examples[],
/// notes[]}.
[[nodiscard]] report::Json to_json(const TableDescription& description);

}  // namespace overtake
