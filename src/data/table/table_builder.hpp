// SPDX-License-Identifier: MIT
// Grows a Table record by record.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/source/memory_meter.hpp"
#include "data/table/column_reader.hpp"
#include "data/table/csv_records.hpp"
#include "data/text/cell.hpp"
#include "overtake/data/table.hpp"

namespace overtake::data {

/// Collects the cells of a file as text; finish() decides what each column is. In parts: take_part() does, again and
/// again, where the options say what each column is for.
class TableBuilder {
 public:
  /// Throws UsageError for a notation that contradicts itself. `options` must outlive the builder.
  TableBuilder(std::string source, const TableOptions& options, bool in_parts = false);

  /// Bytes that the table may take.
  [[nodiscard]] std::uint64_t memory_limit() const noexcept { return memory_.limit(); }

  /// Throws DeviceError where the whole table, of which about the `share` is here, will not fit.
  void expect_whole(double share) const {
    memory_.expect(static_cast<std::uint64_t>(static_cast<double>(memory_.used()) / share));
  }

  /// Throws DataError for a record of another size than the first, DeviceError when the table gets too large.
  void add(const Record& record);

  /// Throws DataError if there are no rows, the first record may be names or data, or a column mixes kinds; UsageError
  /// for unknown names in the options.
  [[nodiscard]] Table finish(char delimiter);

  /// Rows that wait for take_part(), and about the bytes that they take while they become a part.
  [[nodiscard]] std::int64_t rows() const noexcept { return table_.rows; }
  [[nodiscard]] std::uint64_t part_bytes() const noexcept { return part_bytes_; }

  /// The rows since the last part; columns that are ignored hold nothing. `last`: the file has no more. Throws as
  /// finish(), about these rows, and in the end about what only all rows tell.
  [[nodiscard]] Table take_part(char delimiter, bool last);

 private:
  void start(const Record& first, const Record* second);
  void name_columns(const Record* header);
  void name_headless_columns();
  void add_row(const Record& record);
  void check_lists() const;
  void check_header() const;
  void check_rows();
  void set_reading(char delimiter);
  void read_columns();
  void read_column_parts(bool last);
  [[noreturn]] void fail_columns(const std::vector<std::pair<std::size_t, ColumnProblem>>& problems) const;
  [[noreturn]] void fail_size(const Record& record) const;
  [[nodiscard]] ColumnUse use_of(std::size_t index) const;
  [[nodiscard]] bool listed(const std::vector<std::string>& names, std::size_t index) const;

  const TableOptions& options_;
  CellRules rules_;
  MemoryMeter memory_;
  Table table_;
  std::vector<RawColumn> raw_;
  std::vector<ColumnUse> uses_;
  bool in_parts_;
  std::vector<Survey> surveys_;    // in parts: of each column, over all of them
  std::set<std::string> missing_;  // words that were taken as missing
  std::uint64_t part_bytes_ = 0;
  std::uint64_t lasting_bytes_ = 0;  // of the meter, what no part gives back
  bool has_rows_ = false;
  Record first_;  // held back until the second record helps to tell a header from data
  bool have_first_ = false;
  bool started_ = false;
};

}  // namespace overtake::data
