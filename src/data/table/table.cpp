// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "data/table/csv_records.hpp"
#include "data/table/message.hpp"
#include "data/table/table_builder.hpp"
#include "overtake/data/file.hpp"
#include "overtake/data/table.hpp"
#include "overtake/data/table_parts.hpp"
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

namespace {

/// A line is held a few times over, with a place for each of its cells.
std::size_t longest_line(const TableOptions& options, std::uint64_t memory_limit) {
  constexpr std::size_t copies_of_line = 16, least_longest = std::size_t{1} << 20;
  return static_cast<std::size_t>(std::min<std::uint64_t>(
      options.longest_line, std::max<std::uint64_t>(least_longest, memory_limit / copies_of_line)));
}

/// Bytes of a text file; 0 where they do not tell how much text it holds.
std::uint64_t plain_size(const std::filesystem::path& path, const std::string& encoding) {
  std::error_code error;
  if (encoding != "utf-8" || !std::filesystem::is_regular_file(path, error)) return 0;
  std::ifstream file(path, std::ios::binary);
  const bool packed = file.get() == 0x1f && file.get() == 0x8b;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return packed || error ? 0 : size;
}

}  // namespace

Table read_table(const std::filesystem::path& path, const TableOptions& options) {
  check_options(options);
  data::TableBuilder builder(path.string(), options);
  data::RecordReader records(path, {options.delimiter, options.encoding, longest_line(options, builder.memory_limit())},
                             [&builder](const data::Record& record) { builder.add(record); });
  // A large file that will not fit is refused soon. What is compressed or encoded otherwise does not tell its size.
  constexpr std::uint64_t sample = std::uint64_t{4} << 20;
  const std::uint64_t size = plain_size(path, options.encoding);
  bool judged = size <= 2 * sample;
  while (records.step()) {
    if (judged || records.bytes() < sample) continue;
    judged = true;
    builder.expect_whole(static_cast<double>(records.bytes()) / static_cast<double>(size));
  }
  return builder.finish(records.delimiter());
}

struct TableReader::State {
  State(const std::filesystem::path& path, TableOptions how, PartSize part)
      : options(std::move(how)),
        size(part),
        builder(path.string(), options, true),
        records(path, {options.delimiter, options.encoding, longest_line(options, builder.memory_limit())},
                [this](const data::Record& record) { take(record); }) {}

  void take(const data::Record& record) {
    if (is_full()) {
      next = record;
    } else {
      builder.add(record);
    }
  }

  /// Whether a number is a date of the given format, all cells say together: such a file comes as one part.
  [[nodiscard]] bool is_full() const {
    const std::uint64_t bytes =
        builder.part_bytes() + static_cast<std::uint64_t>(builder.rows()) * size.bytes_beside_each_row;
    if (bytes < size.bytes || !options.notation.date_format.empty()) return false;
    return builder.rows() % part_rows == 0 || bytes / most_overfull >= size.bytes;
  }

  static constexpr std::int64_t part_rows = 4096;    // a part has a multiple of them, ...
  static constexpr std::uint64_t most_overfull = 4;  // ... unless its rows are so large

  TableOptions options;
  PartSize size;
  data::TableBuilder builder;
  data::RecordReader records;
  std::optional<data::Record> next;  // the first of the next part
  bool at_end = false;
};

TableReader::TableReader(const std::filesystem::path& path, TableOptions options, PartSize size) {
  check_options(options);
  if (!options.header || !options.others_ignored || !options.spelled.empty()) {
    throw UsageError(
        "a table is read in parts only where the options say what each column is, and whether it has a header",
        "Preprocessing::table_options() does.");
  }
  state_ = std::make_unique<State>(path, std::move(options), size);
}

TableReader::~TableReader() = default;

std::optional<Table> TableReader::next() {
  State& state = *state_;
  if (state.at_end) return std::nullopt;
  if (state.next) {
    state.builder.add(*state.next);
    state.next.reset();
  }
  bool more = true;
  while (more && !state.next) more = state.records.step();
  state.at_end = !state.next;
  return state.builder.take_part(state.records.delimiter(), state.at_end);
}

bool TableReader::at_end() const noexcept { return state_->at_end; }

std::uint64_t TableReader::file_bytes() const noexcept { return state_->records.file_bytes(); }

struct TableWriter::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  AtomicFile file;
  std::string text;
  bool has_header = false;
};

TableWriter::TableWriter(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}

TableWriter::~TableWriter() = default;

void TableWriter::add(const Table& table) {
  constexpr std::size_t flush_bytes = std::size_t{1} << 20;
  check_table(table);
  std::string& text = state_->text;
  for (std::size_t i = 0; i < table.columns.size() && !state_->has_header; ++i) {
    if (i > 0) text += ',';
    append_cell(text, table.columns[i].name);
  }
  if (!state_->has_header) text += '\n';
  state_->has_header = true;
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const std::size_t begin = text.size();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) text += ',';
      append_value(text, table.columns[i], row);
    }
    if (text.size() == begin) text += "\"\"";  // a blank line would be no record
    text += '\n';
    if (text.size() < flush_bytes) continue;
    state_->file.write(text);
    text.clear();
  }
}

void TableWriter::commit() {
  state_->file.write(state_->text);
  state_->file.commit();
}

void write_table(const std::filesystem::path& path, const Table& table) {
  TableWriter writer(path);
  writer.add(table);
  writer.commit();
}

}  // namespace overtake
