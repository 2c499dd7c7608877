// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace overtake {

/// What the cells of a column are.
enum class ColumnKind : std::uint8_t { numeric, text };

/// One column of a Table. A missing cell is NaN in `numbers` and -1 in `codes`.
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::numeric;
  std::vector<double> numbers;          ///< numeric: one a row
  std::vector<std::int32_t> codes;      ///< text: one a row, an index into `categories`
  std::vector<std::string> categories;  ///< text: the distinct cells, in order of first appearance
};

/// A table in memory, column by column. Every column has `rows` cells.
struct Table {
  std::string source;      ///< the file it came from, for messages
  bool has_header = true;  ///< false: the names are column_1, column_2, ...
  std::int64_t rows = 0;
  std::vector<Column> columns;
  std::vector<std::int64_t> line_of_row;  ///< 1-based line at which a row begins; empty if not from a text file

  /// The column called `name`, or nullptr.
  [[nodiscard]] const Column* find(std::string_view name) const noexcept;
  /// All column names, in order.
  [[nodiscard]] std::vector<std::string> names() const;
  /// "flowers.csv, line 7, column 3 (petal_length)" for error messages. Both indices count from 0.
  [[nodiscard]] std::string locate(std::int64_t row, std::int64_t column) const;
};

/// How a CSV file is read. The defaults detect what they can.
struct TableOptions {
  std::optional<bool> header;        ///< does the first record hold names? Unset: detected
  std::optional<char> delimiter;     ///< unset: comma, semicolon or tab, detected from the first lines
  char decimal = '.';                ///< '.' or ','
  std::vector<std::string> numeric;  ///< columns that must be numeric: a text cell is an error
  std::vector<std::string> text;     ///< columns to keep as text, even if every cell is a number
  bool mixed_as_text = false;        ///< a text cell among numbers makes the column text instead of an error
  bool allow_absent = false;         ///< names in `numeric` and `text` that the file lacks are no error
  std::size_t longest_line = std::size_t{64} << 20;  ///< bytes; longer lines (and records) are refused unread
};

/// Reads a CSV file, plain or gzip-compressed, in one pass with bounded buffers.
///
/// Format: RFC 4180 (quotes, doubled quotes, delimiters and line ends inside quotes), LF, CRLF or CR, optional UTF-8
/// byte order mark; blank lines are skipped; blanks round an unquoted cell are dropped.
///
/// Header: found when no cell of the first record is a number, or when some column has text there and a number in the
/// second record. Column kind: text if most cells that are not missing are no numbers, else numeric. A text cell in a
/// numeric column is an error; list the column in `text` if it is meant. Missing: an empty cell and the words of
/// `missing_words()`. Numbers: decimal or scientific notation, optional sign, "inf" and "infinity".
///
/// Throws DataError with file, line, column, what was expected and a hint for: a file that is missing, unreadable,
/// empty, without data, not UTF-8 or damaged gzip; a record with too few or too many cells; a wrong or unclosed quote;
/// a line over `longest_line`; two columns of one name; a text cell in a numeric column. UsageError for a name in
/// `numeric` or `text` that the file does not have. A cell is located by the line at which its record begins.
[[nodiscard]] Table read_table(const std::filesystem::path& path, const TableOptions& options = {});

/// The cells that mean "missing", besides the empty one; upper and lower case count as equal: NA, N/A, NaN, null, ?.
[[nodiscard]] std::span<const std::string_view> missing_words() noexcept;

/// Writes a table as CSV with a header, atomically: comma, LF, quotes where needed; numbers in the shortest form that
/// reads back as the same double; missing cells empty. Throws DataError if the file cannot be written.
void write_table(const std::filesystem::path& path, const Table& table);

/// A numeric column from values of any arithmetic type.
template <typename T>
[[nodiscard]] Column numeric_column(std::string name, std::span<const T> values) {
  Column column;
  column.name = std::move(name);
  column.numbers.assign(values.begin(), values.end());
  return column;
}

/// A text column from indices into `categories` (-1: missing).
[[nodiscard]] Column text_column(std::string name, std::vector<std::int32_t> codes,
                                 std::vector<std::string> categories);

}  // namespace overtake
