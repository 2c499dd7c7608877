// SPDX-License-Identifier: MIT
// Grows a Table record by record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/csv_records.hpp"
#include "overtake/data_table.hpp"

namespace overtake::data {

/// Collects the cells of a file as text; finish() decides what each column is.
class TableBuilder {
 public:
  TableBuilder(std::string source, const TableOptions& options) : options_(options) {
    table_.source = std::move(source);
  }

  /// Throws DataError for a record of another size than the first.
  void add(const Record& record);

  /// Throws DataError if there are no rows or a column mixes kinds; UsageError for unknown names in the options.
  [[nodiscard]] Table finish();

 private:
  struct RawColumn {
    std::string bytes;
    std::vector<std::uint32_t> sizes;  // of each cell; longest_line keeps them below 4 GiB
  };

  void start(const Record& first, const Record* second);
  void name_columns(const Record* header);
  void add_row(const Record& record);
  void check_options() const;
  void finish_column(std::size_t index);
  void make_numeric(std::size_t index, std::vector<double> numbers);
  void make_text(std::size_t index);
  [[nodiscard]] bool listed(const std::vector<std::string>& names, std::size_t index) const;

  const TableOptions& options_;
  Table table_;
  std::vector<RawColumn> raw_;
  Record first_;  // held back until the second record helps to tell a header from data
  bool have_first_ = false;
  bool started_ = false;
};

}  // namespace overtake::data
