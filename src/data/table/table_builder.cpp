// SPDX-License-Identifier: MIT
#include "data/table/table_builder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "data/table/columns.hpp"
#include "data/table/header.hpp"
#include "data/table/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

/// A word as it can be pasted into a shell.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:/+%@=") ==
                                          std::string::npos;
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// A name as a list flag of the tool takes it: with a comma or a quote in it, in double quotes.
std::string list_word(const std::string& name) {
  if (name.find_first_of(",\"") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// A column that counts the rows: 0, 1, 2, ... or 1, 2, 3, ...
bool counts_rows(const Column& column) {
  if (column.kind != ColumnKind::numeric || column.numbers.size() < 3) return false;
  const double first = column.numbers[0];
  if (first != 0 && first != 1) return false;
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    if (column.numbers[row] != first + static_cast<double>(row)) return false;
  }
  return true;
}

}  // namespace

TableBuilder::TableBuilder(std::string source, const TableOptions& options, bool in_parts)
    : options_(options), rules_(options.notation), memory_(source, options.memory_limit), in_parts_(in_parts) {
  table_.source = std::move(source);
}

void TableBuilder::add(const Record& record) {
  if (!have_first_) {
    first_ = record;
    have_first_ = true;
    return;
  }
  if (record.size() != first_.size()) fail_size(record);
  if (!started_) start(first_, &record);
  add_row(record);
}

void TableBuilder::fail_size(const Record& record) const {
  const std::size_t column = std::min(record.size(), first_.size()) + 1;
  std::string hint = record.size() > first_.size() ? "Quote cells that contain the delimiter."
                                                   : "Write missing cells as empty ones, with their delimiters.";
  if (!has_rows_ && record.size() == first_.size() + 1) {
    hint =
        "If the first cell of each line is a row name (R's write.table), give it a name in the first line: "
        "write.csv(x, row.names = FALSE), or col.names = NA.";
  }
  throw DataError(fmt::format("{}, line {}, column {}: the record has {} cells, expected {} as in line {}",
                              table_.source, record.line, column, record.size(), first_.size(), first_.line),
                  hint);
}

void TableBuilder::start(const Record& first, const Record* second) {
  started_ = true;
  constexpr std::size_t of_name = 256;  // the column's name, also among all names while they are compared
  memory_.take(first.size() * (sizeof(RawColumn) + sizeof(Column) + of_name));
  raw_.resize(first.size());
  table_.columns.resize(first.size());
  if (!options_.header && looks_counted(first, rules_)) {
    throw DataError(fmt::format("{}, line {}: {}, {}, {} ... may be the columns' names or a row of data", table_.source,
                                first.line, first.cell(0), first.cell(1), first.cell(2)),
                    "Give --header if they are names, --no-header if they are data.");
  }
  table_.reading.has_header = options_.header ? *options_.header : looks_like_header(first, second, rules_);
  if (table_.reading.has_header) {
    name_columns(&first);
  } else {
    name_headless_columns();
  }
  for (std::size_t i = 0; i < raw_.size(); ++i) uses_.push_back(use_of(i));
  surveys_.resize(in_parts_ ? raw_.size() : 0);
  lasting_bytes_ = memory_.used();
  if (!table_.reading.has_header) add_row(first);
}

void TableBuilder::name_headless_columns() {
  if (options_.headless_names.empty()) return name_columns(nullptr);
  std::vector<std::string> sizes;
  for (const std::vector<std::string>& names : options_.headless_names) {
    if (names.size() != table_.columns.size()) {
      sizes.push_back(fmt::format("{}", names.size()));
      continue;
    }
    for (std::size_t i = 0; i < names.size(); ++i) table_.columns[i].name = names[i];
    return;
  }
  throw DataError(fmt::format("{}, line {}: the file has {} columns, expected {} as in training", table_.source,
                              first_.line, table_.columns.size(), fmt::join(sizes, " or ")),
                  "A file without header needs the columns of the training file in the same order, with or without the "
                  "target.");
}

void TableBuilder::name_columns(const Record* header) {
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    std::string& name = table_.columns[i].name;
    if (header != nullptr) name = header->cell(i);
    if (header != nullptr && name.empty() && options_.delimiter == ' ') {
      throw DataError(
          fmt::format("{}, line {}: several blanks in a row, and each is a delimiter", table_.source, first_.line),
          "Where cells are aligned with blanks, make one of each run of them: tr -s ' ' < FILE > FILE.plain");
    }
    if (name.empty()) name = fmt::format("column_{}", i + 1);
    const auto [other, inserted] = seen.emplace(name, i);
    if (!inserted) {
      throw DataError(
          fmt::format("{}, line {}, column {}: the name {} is already that of column {}, expected different "
                      "names",
                      table_.source, first_.line, i + 1, quote(name), other->second + 1),
          options_.header ? "Rename one of the two columns."
                          : "If the first line is data, give --no-header; else rename one of the two columns.");
    }
  }
}

void TableBuilder::add_row(const Record& record) {
  if (table_.rows == std::numeric_limits<std::int32_t>::max()) {
    throw DataError(fmt::format("{}, line {}: more than {} rows", table_.source, record.line, table_.rows),
                    "Split the file.");
  }
  // A cell's text, its length, its number and what a model makes of it.
  constexpr std::uint64_t of_cell = sizeof(std::uint32_t) + sizeof(double) + sizeof(float);
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (in_parts_ && uses_[i] == ColumnUse::ignored) continue;
    raw_[i].add(record.cell(i), record.quoted(i), memory_);
    part_bytes_ += record.cell(i).size() + of_cell;
  }
  has_rows_ = true;
  take_growth(memory_, table_.line_of_row, 1);
  table_.line_of_row.push_back(record.line);
  ++table_.rows;
}

void TableBuilder::check_lists() const {
  if (options_.allow_absent) return;
  for (const auto* list :
       {&options_.numeric, &options_.days, &options_.text, &options_.names, &options_.spelled, &options_.ignored}) {
    for (const std::string& name : *list) {
      if (table_.find(name) != nullptr) continue;
      throw UsageError(fmt::format("{} has no column {}", table_.source, quote(name)), column_hint(table_, name));
    }
  }
}

/// A file of words alone, whose first record returns below itself, may have no header at all.
void TableBuilder::check_header() const {
  if (options_.header || !table_.reading.has_header) return;
  std::size_t returning = 0;
  for (const Column& column : table_.columns) {
    if (column.kind != ColumnKind::text) return;
    const auto& cells = column.categories;
    returning += std::find(cells.begin(), cells.end(), column.name) != cells.end() ? 1 : 0;
  }
  if (returning == 0 || 2 * returning < table_.columns.size()) return;
  throw DataError(
      fmt::format("{}, line {}: the first line may be data, since the names of {} of {} columns are found "
                  "again below themselves ({})",
                  table_.source, first_.line, returning, table_.columns.size(), quote(table_.columns[0].name)),
      "Give --no-header if the first line is data, --header if it holds names.");
}

bool TableBuilder::listed(const std::vector<std::string>& names, std::size_t index) const {
  return std::find(names.begin(), names.end(), table_.columns[index].name) != names.end();
}

ColumnUse TableBuilder::use_of(std::size_t index) const {
  if (listed(options_.ignored, index)) return ColumnUse::ignored;
  if (listed(options_.text, index)) return ColumnUse::declared_text;
  if (listed(options_.numeric, index)) return ColumnUse::numeric;
  if (listed(options_.days, index)) return ColumnUse::days;
  if (listed(options_.names, index)) return ColumnUse::names;
  const bool other = options_.others_ignored && !listed(options_.spelled, index);
  return other ? ColumnUse::ignored : ColumnUse::judged;
}

void TableBuilder::check_rows() {
  if (!have_first_) {
    throw DataError(fmt::format("{}, line 1, column 1: the file is empty, expected a table", table_.source),
                    "Check that the file was written completely.");
  }
  if (!started_) start(first_, nullptr);
  if (table_.rows == 0) {
    throw DataError(fmt::format("{}, line {}: only a header, expected at least one row of data after it", table_.source,
                                first_.line),
                    "If the first line is data, give --no-header.");
  }
}

void TableBuilder::set_reading(char delimiter) {
  table_.reading.delimiter = delimiter;
  table_.reading.encoding = options_.encoding;
  table_.reading.notation = options_.notation;
}

Table TableBuilder::finish(char delimiter) {
  check_rows();
  set_reading(delimiter);
  check_lists();
  read_columns();
  check_header();
  return std::move(table_);
}

Table TableBuilder::take_part(char delimiter, bool last) {
  check_rows();
  set_reading(delimiter);
  check_lists();
  read_column_parts(last);
  Table part = std::move(table_);
  table_ = {};
  table_.source = part.source;
  table_.reading = part.reading;
  for (const Column& column : part.columns) table_.columns.emplace_back().name = column.name;
  memory_.give(memory_.used() - lasting_bytes_);
  part_bytes_ = 0;
  return part;
}

void TableBuilder::read_columns() {
  std::vector<std::pair<std::size_t, ColumnProblem>> problems;
  const ColumnReading reading{rules_, missing_, memory_};
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    Column& column = table_.columns[i];
    const std::uint64_t raw_bytes = raw_[i].bytes();
    auto problem = read_column(raw_[i], table_.line_of_row, uses_[i], listed(options_.spelled, i), reading, column);
    raw_[i].release();
    memory_.give(raw_bytes);
    if (problem) problems.emplace_back(i, std::move(*problem));
    if (i == 0 && first_.cell(0).empty() && table_.reading.has_header && counts_rows(column)) {
      column.notes.emplace_back("it has no name and counts the rows; --drop column_1 leaves it out");
    }
  }
  if (!problems.empty()) fail_columns(problems);
}

void TableBuilder::read_column_parts(bool last) {
  std::vector<std::pair<std::size_t, ColumnProblem>> problems;
  const ColumnReading reading{rules_, missing_, memory_};
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    auto problem = read_column_part(raw_[i], table_.line_of_row, uses_[i], surveys_[i], reading, table_.columns[i]);
    raw_[i].release();
    if (!problem && last) problem = find_late_problem(uses_[i], surveys_[i], rules_);
    if (problem) problems.emplace_back(i, std::move(*problem));
  }
  if (!problems.empty()) fail_columns(problems);
}

/// Throws for the first column; the hint has what settles all of them.
void TableBuilder::fail_columns(const std::vector<std::pair<std::size_t, ColumnProblem>>& problems) const {
  const auto& [at, first] = problems.front();
  std::set<std::string> missing = missing_;
  std::vector<std::string> others;
  for (const auto& [index, problem] : problems) {
    if (index != at) others.push_back(list_word(table_.columns[index].name));
    if (!problem.word.empty()) missing.insert(problem.word);
  }
  std::string hint = "Correct the cell or leave it empty (missing)";
  if (!first.cure.empty()) hint = "Give " + first.cure;
  if (!first.word.empty()) {
    std::vector<std::string> words;
    words.reserve(missing.size());
    for (const std::string& word : missing) words.push_back(list_word(word));
    hint = fmt::format("Give --missing {} if such words mean a missing cell",
                       shell_word(fmt::format("{}", fmt::join(words, ","))));
  }
  if (use_of(at) == ColumnUse::judged) {
    hint += fmt::format("; or --text {} if the column is text", shell_word(list_word(table_.columns[at].name)));
  }
  if (!others.empty()) hint += fmt::format(". Likewise the columns {}", fmt::join(others, ", "));
  throw DataError(fmt::format("{}, line {}, column {} ({}): {}", table_.source, first.line, at + 1,
                              table_.columns[at].name, first.message),
                  hint + ".");
}

}  // namespace overtake::data
