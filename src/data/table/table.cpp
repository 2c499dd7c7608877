// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "data/table/message.hpp"
#include "data/table/table_builder.hpp"
#include "overtake/data/file.hpp"
#include "overtake/data/table.hpp"
#include "overtake/error.hpp"

namespace overtake {

namespace {

void check_options(const TableOptions& options) {
  if (options.delimiter == '"' || options.delimiter == '\n' || options.delimiter == '\r' || options.delimiter == '\0') {
    throw UsageError("a quote, a line end or a zero byte cannot be the delimiter",
                     "Use a comma, semicolon, tab or pipe.");
  }
  constexpr std::size_t most = std::size_t{1} << 31;
  if (options.longest_line == 0 || options.longest_line > most) {
    throw UsageError(fmt::format("longest_line is {}, expected 1 to {} bytes", options.longest_line, most));
  }
}

void append_cell(std::string& line, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    const auto words = missing_words();
    const bool blank_edge = !text.empty() && (text.front() == ' ' || text.back() == ' ');
    const bool guarded = blank_edge || std::find(words.begin(), words.end(), text) != words.end();  // data, not missing
    line += guarded ? fmt::format("\"{}\"", text) : std::string(text);
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

void append_value(std::string& line, const Column& column, std::size_t row) {
  if (column.kind == ColumnKind::text) {
    const std::int32_t code = column.codes[row];
    if (code >= 0) append_cell(line, column.categories[static_cast<std::size_t>(code)]);
    return;
  }
  const double value = column.numbers[row];
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(line), "{}", value);
}

/// Every column must have `rows` cells and every code a category, as the file would be wrong without a word otherwise.
void check_table(const Table& table) {
  for (const Column& column : table.columns) {
    const bool numeric = column.kind == ColumnKind::numeric;
    const std::size_t cells = numeric ? column.numbers.size() : column.codes.size();
    if (static_cast<std::int64_t>(cells) != table.rows) {
      throw UsageError(fmt::format("column {} has {} cells, expected {}", data::quote(column.name), cells, table.rows));
    }
    for (const std::int32_t code : column.codes) {
      if (numeric || code < static_cast<std::int64_t>(column.categories.size())) continue;
      throw UsageError(fmt::format("column {} has code {}, expected less than {}", data::quote(column.name), code,
                                   column.categories.size()));
    }
  }
}

}  // namespace

const Column* Table::find(std::string_view name) const noexcept {
  for (const Column& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> result;
  for (const Column& column : columns) result.push_back(column.name);
  return result;
}

std::string Table::locate(std::int64_t row, std::int64_t column) const {
  std::string result = source.empty() ? "table" : source;
  const auto index = static_cast<std::size_t>(row);
  if (row >= 0 && index < line_of_row.size()) {
    result += fmt::format(", line {}", line_of_row[index]);
  } else {
    result += fmt::format(", row {}", row + 1);
  }
  result += fmt::format(", column {}", column + 1);
  const auto position = static_cast<std::size_t>(column);
  if (column >= 0 && position < columns.size()) result += fmt::format(" ({})", columns[position].name);
  return result;
}

Column text_column(std::string name, std::vector<std::int32_t> codes, std::vector<std::string> categories) {
  Column column;
  column.name = std::move(name);
  column.kind = ColumnKind::text;
  column.codes = std::move(codes);
  column.categories = std::move(categories);
  return column;
}

Table read_table(const std::filesystem::path& path, const TableOptions& options) {
  check_options(options);
  data::TableBuilder builder(path.string(), options);
  // A line is held a few times over, with a place for each of its cells.
  constexpr std::size_t copies_of_line = 16, least_longest = std::size_t{1} << 20;
  const auto longest = static_cast<std::size_t>(std::min<std::uint64_t>(
      options.longest_line, std::max<std::uint64_t>(least_longest, builder.memory_limit() / copies_of_line)));
  const char delimiter = data::read_records(path, {options.delimiter, options.encoding, longest},
                                            [&builder](const data::Record& record) { builder.add(record); });
  return builder.finish(delimiter);
}

void write_table(const std::filesystem::path& path, const Table& table) {
  constexpr std::size_t flush_bytes = std::size_t{1} << 20;
  check_table(table);
  AtomicFile file(path);
  std::string text;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (i > 0) text += ',';
    append_cell(text, table.columns[i].name);
  }
  text += '\n';
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const std::size_t begin = text.size();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) text += ',';
      append_value(text, table.columns[i], row);
    }
    if (text.size() == begin) text += "\"\"";  // a blank line would be no record
    text += '\n';
    if (text.size() < flush_bytes) continue;
    file.write(text);
    text.clear();
  }
  file.write(text);
  file.commit();
}

}  // namespace overtake
