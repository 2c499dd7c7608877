// SPDX-License-Identifier: MIT
#include "data/table_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/nearest.hpp"
#include "data/cell.hpp"
#include "data/message.hpp"
#include "overtake/error.hpp"

namespace overtake::data {

namespace {

/// The header rule of read_table().
bool looks_like_header(const Record& first, const Record* second, char decimal) {
  bool numbers = false;
  bool text_over_number = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const CellKind kind = parse_cell(first.cell(i), decimal).kind;
    numbers = numbers || kind == CellKind::number;
    const bool below =
        second != nullptr && i < second->size() && parse_cell(second->cell(i), decimal).kind == CellKind::number;
    text_over_number = text_over_number || (kind == CellKind::text && below);
  }
  return !numbers || text_over_number;
}

}  // namespace

void TableBuilder::add(const Record& record) {
  if (!have_first_) {
    first_ = record;
    have_first_ = true;
    return;
  }
  if (record.size() != first_.size()) {
    const std::size_t column = std::min(record.size(), first_.size()) + 1;
    throw DataError(fmt::format("{}, line {}, column {}: the record has {} cells, expected {} as in line {}",
                                table_.source, record.line, column, record.size(), first_.size(), first_.line),
                    record.size() > first_.size() ? "Quote cells that contain the delimiter."
                                                  : "Write missing cells as empty ones, with their delimiters.");
  }
  if (!started_) start(first_, &record);
  add_row(record);
}

void TableBuilder::start(const Record& first, const Record* second) {
  started_ = true;
  raw_.resize(first.size());
  table_.columns.resize(first.size());
  table_.has_header = options_.header ? *options_.header : looks_like_header(first, second, options_.decimal);
  name_columns(table_.has_header ? &first : nullptr);
  if (!table_.has_header) add_row(first);
}

void TableBuilder::name_columns(const Record* header) {
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    std::string& name = table_.columns[i].name;
    if (header != nullptr) name = header->cell(i);
    if (name.empty()) name = fmt::format("column_{}", i + 1);
    const auto [other, inserted] = seen.emplace(name, i);
    if (!inserted) {
      throw DataError(
          fmt::format("{}, line {}, column {}: the name {} is already that of column {}, expected different "
                      "names",
                      table_.source, first_.line, i + 1, quote(name), other->second + 1),
          "Rename one of the two columns.");
    }
  }
}

void TableBuilder::add_row(const Record& record) {
  if (table_.rows == std::numeric_limits<std::int32_t>::max()) {
    throw DataError(fmt::format("{}, line {}: more than {} rows", table_.source, record.line, table_.rows),
                    "Split the file.");
  }
  for (std::size_t i = 0; i < record.size(); ++i) {
    const std::string_view cell = record.cell(i);
    raw_[i].bytes.append(cell);
    raw_[i].sizes.push_back(static_cast<std::uint32_t>(cell.size()));
  }
  table_.line_of_row.push_back(record.line);
  ++table_.rows;
}

void TableBuilder::check_options() const {
  if (options_.allow_absent) return;
  const std::vector<std::string> names = table_.names();
  for (const auto* list : {&options_.numeric, &options_.text}) {
    for (const std::string& name : *list) {
      if (table_.find(name) != nullptr) continue;
      const std::string near = nearest(name, names);
      throw UsageError(fmt::format("{} has no column {}", table_.source, quote(name)),
                       near.empty() ? "Use a name of the file's first line." : fmt::format("Did you mean {}?", near));
    }
  }
}

bool TableBuilder::listed(const std::vector<std::string>& names, std::size_t index) const {
  return std::find(names.begin(), names.end(), table_.columns[index].name) != names.end();
}

Table TableBuilder::finish() {
  if (!have_first_) {
    throw DataError(fmt::format("{}, line 1, column 1: the file is empty, expected a table", table_.source),
                    "Check that the file was written completely.");
  }
  if (!started_) start(first_, nullptr);
  if (table_.rows == 0) {
    throw DataError(fmt::format("{}, line {}: only a header, expected at least one row of data after it", table_.source,
                                first_.line),
                    "If the first line is data, say that the file has no header.");
  }
  check_options();
  for (std::size_t i = 0; i < raw_.size(); ++i) finish_column(i);
  return std::move(table_);
}

void TableBuilder::finish_column(std::size_t index) {
  if (listed(options_.text, index)) return make_text(index);
  const RawColumn& raw = raw_[index];
  std::vector<double> numbers;
  numbers.reserve(raw.sizes.size());
  std::size_t number_count = 0;
  std::size_t text_count = 0;
  std::size_t first_text_row = 0;
  std::string_view first_text;
  std::size_t offset = 0;
  for (std::size_t row = 0; row < raw.sizes.size(); ++row) {
    const std::string_view text = std::string_view(raw.bytes).substr(offset, raw.sizes[row]);
    offset += raw.sizes[row];
    const Cell cell = parse_cell(text, options_.decimal);
    numbers.push_back(cell.number);
    if (cell.kind == CellKind::number) ++number_count;
    if (cell.kind != CellKind::text) continue;
    if (text_count++ == 0) {
      first_text = text;
      first_text_row = row;
    }
  }
  const bool forced = listed(options_.numeric, index);
  if (text_count == 0) return make_numeric(index, std::move(numbers));
  if (!forced && (number_count <= text_count || options_.mixed_as_text)) return make_text(index);
  const std::string reason = forced ? std::string("expected a number")
                                    : fmt::format("expected a number as in {} other cells of the column", number_count);
  throw DataError(
      fmt::format("{}: {}, found {}",
                  table_.locate(static_cast<std::int64_t>(first_text_row), static_cast<std::int64_t>(index)), reason,
                  quote(first_text)),
      "Correct the cell or leave it empty (missing); if the column is meant as text, list it as text.");
}

void TableBuilder::make_numeric(std::size_t index, std::vector<double> numbers) {
  raw_[index] = {};
  table_.columns[index].numbers = std::move(numbers);
}

void TableBuilder::make_text(std::size_t index) {
  const RawColumn raw = std::move(raw_[index]);
  raw_[index] = {};
  Column& column = table_.columns[index];
  column.kind = ColumnKind::text;
  column.codes.reserve(raw.sizes.size());
  std::unordered_map<std::string_view, std::int32_t> codes;  // views into raw.bytes
  std::size_t offset = 0;
  for (const std::uint32_t size : raw.sizes) {
    const std::string_view text = std::string_view(raw.bytes).substr(offset, size);
    offset += size;
    if (is_missing(text)) {
      column.codes.push_back(-1);
      continue;
    }
    const auto [it, inserted] = codes.emplace(text, static_cast<std::int32_t>(column.categories.size()));
    if (inserted) column.categories.emplace_back(text);
    column.codes.push_back(it->second);
  }
}

}  // namespace overtake::data
