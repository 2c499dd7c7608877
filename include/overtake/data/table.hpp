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
  bool days = false;                    ///< numeric: read from dates and times; days since 1970-01-01
  bool declared_text = false;           ///< text because TableOptions::text said so: words for "missing" are data
  std::vector<std::string> notes;       ///< what a reader of the column should know, for people

  /// True where `codes` and `categories` hold the cells as they are written. Numeric columns have them only when
  /// TableOptions::spelled or ::names asked for it.
  [[nodiscard]] bool spelled() const noexcept { return !codes.empty(); }
};

/// How the parts of a date follow each other. ISO 8601 (2024-12-31, 2024-12-31T23:59:59Z, 23:59) is always understood.
enum class DateOrder : std::uint8_t { iso, year_month_day, day_month_year, month_day_year };

/// How numbers, dates and gaps are written in the cells of a file. Nothing else is guessed: see docs/reading-data.md.
struct Notation {
  char decimal = '.';              ///< '.' or ','
  std::string thousands;           ///< between groups of three digits: one of , . ' _ or a space; empty: none
  std::vector<std::string> units;  ///< signs before or after a number that are dropped: "$", "%", "kg"
  DateOrder dates = DateOrder::iso;
  std::string date_format;  ///< of strptime(3), "%d %b %Y", in place of an order; empty: none
  /// Words that mean "missing", exact in case. Unset: missing_words(), in cells without quotes.
  std::optional<std::vector<std::string>> missing;

  friend bool operator==(const Notation&, const Notation&) = default;
};

/// What reading a file depended on, detected or given: with it another file is read alike.
struct Reading {
  bool has_header = true;
  char delimiter = ',';
  std::string encoding = "utf-8";
  Notation notation;

  friend bool operator==(const Reading&, const Reading&) = default;
};

/// A table in memory, column by column. Every column has `rows` cells.
struct Table {
  std::string source;  ///< the file it came from, for messages
  Reading reading;     ///< without a header the names are column_1, column_2, ...
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
  std::optional<bool> header;      ///< does the first record hold names? Unset: detected
  std::optional<char> delimiter;   ///< unset: comma, semicolon, tab or pipe, detected from the first lines
  std::string encoding = "utf-8";  ///< "utf-8", "utf-16", "latin-1", "windows-1252"
  Notation notation;
  std::vector<std::string> numeric;  ///< columns that must be numeric: a text cell is an error
  std::vector<std::string> days;     ///< columns that must hold dates or times
  std::vector<std::string> text;     ///< columns that are text, whatever their cells look like
  std::vector<std::string> names;    ///< columns whose cells are names (groups): any cell is fine, spelling is kept
  std::vector<std::string> spelled;  ///< columns (targets) whose spelling is kept beside their numbers
  std::vector<std::string> ignored;  ///< columns that nobody looks at: any cell is fine
  bool others_ignored = false;       ///< the same for every column that is on no list
  bool allow_absent = false;         ///< names on the lists that the file lacks are no error
  /// For a file without header: lists of names, of which the one that is as long as the file's records is used; none
  /// fits: an error. Empty: column_1, column_2, ...
  std::vector<std::vector<std::string>> headless_names;
  std::size_t longest_line = std::size_t{64} << 20;  ///< bytes; longer lines (and records) are refused unread
  /// Bytes that the table may take while it is read, expanded; 0: seven eighths of what this process can still use.
  std::uint64_t memory_limit = 0;
};

/// Reads a CSV file, plain or gzip-compressed, in one pass with bounded buffers. docs/reading-data.md has the rules
/// with examples.
///
/// Format: RFC 4180 (quotes, doubled quotes, delimiters and line ends inside quotes), LF, CRLF or CR, optional byte
/// order mark; blank lines are skipped; blanks round an unquoted cell are dropped.
///
/// Header: found when no cell of the first record is a number, or when some column has text there and a number in the
/// second record. A first record that may be either (1,2,3; or words that occur again below themselves) is an error
/// unless `header` says which.
///
/// Column kind: numeric if every cell that is not missing is a number, or every one a date; text if none is. A mixture
/// is an error unless `text` or `notation.missing` settles it, and so are numbers and dates in another notation than
/// `notation` says (1,5; 1,000; $5; 5 %; 31.12.2024). Missing: an empty cell and the words of `notation.missing`.
/// Numbers: decimal or scientific, optional sign (also U+2212), "inf" and "infinity"; no-break spaces round them are
/// dropped.
///
/// Throws DataError with file, line, column, what was expected and a hint for: a file that is missing, unreadable,
/// empty, without data, not in the encoding or damaged gzip; a record with too few or too many cells; a wrong or
/// unclosed quote; a line over `longest_line` (or a sixteenth of the memory); two columns of one name; the mixtures
/// and notations above. DeviceError, with need and limit, when the table grows beyond `memory_limit`. UsageError for a
/// name on a list that the file does not have. A cell is located by the line at which its record begins.
[[nodiscard]] Table read_table(const std::filesystem::path& path, const TableOptions& options = {});

/// The words that mean "missing" besides the empty cell where nothing else is said; exact in case: NA, N/A, n/a, NaN,
/// nan, -nan, null, NULL, #N/A, <NA>, ?.
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
