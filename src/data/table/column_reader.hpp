// SPDX-License-Identifier: MIT
// One column of a file: its cells as text, then what they are.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/source/memory_meter.hpp"
#include "data/text/cell.hpp"

namespace overtake::data {

/// The cells of a column as they stand in the file.
class RawColumn {
 public:
  /// Throws DeviceError when the meter has no room for it.
  void add(std::string_view cell, bool quoted, MemoryMeter& memory);
  /// Bytes that add() took from the meter.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.size() + sizes_.size() * sizeof(std::uint32_t); }
  [[nodiscard]] std::size_t size() const noexcept { return sizes_.size(); }
  [[nodiscard]] bool quoted(std::size_t row) const noexcept { return row < quoted_.size() && quoted_[row]; }

  /// Calls visit(row, text, quoted) for every cell.
  template <typename Visit>
  void each(const Visit& visit) const {
    std::size_t offset = 0;
    for (std::size_t row = 0; row < sizes_.size(); ++row) {
      visit(row, std::string_view(bytes_).substr(offset, sizes_[row]), quoted(row));
      offset += sizes_[row];
    }
  }

 private:
  std::string bytes_;
  std::vector<std::uint32_t> sizes_;  // of each cell; longest_line keeps them below 4 GiB
  std::vector<bool> quoted_;          // as long as up to the last quoted cell
};

/// What a file's column is for.
enum class ColumnUse : std::uint8_t {
  judged,         ///< a feature or target: its kind follows from its cells
  declared_text,  ///< text, words for "missing" included
  numeric,        ///< must be numbers
  days,           ///< must be dates or times
  names,          ///< any cells; the spelling counts
  ignored,        ///< nobody looks at it
};

/// A judgement that cannot be made: which cell, and what is wrong.
struct ColumnProblem {
  std::size_t row = 0;
  std::string message;  ///< "expected ..., found ..."
  std::string cure;     ///< "--decimal ','"; empty: only --text or a correction helps
  std::string word;     ///< a word among numbers, which may mean a missing cell; empty: none
};

/// Fills kind, numbers, codes and notes of `column` from its cells, or says why that cannot be done. `spelled`: keep
/// codes and categories of a numeric column too. Adds the words that were taken as missing to `missing_seen`, and takes
/// what the column keeps from the meter (throws DeviceError).
[[nodiscard]] std::optional<ColumnProblem> read_column(const RawColumn& raw, ColumnUse use, bool spelled,
                                                       const CellRules& rules, Column& column,
                                                       std::set<std::string>& missing_seen, MemoryMeter& memory);

}  // namespace overtake::data
