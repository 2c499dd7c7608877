// SPDX-License-Identifier: MIT
#include "overtake/data/description.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "data/table/columns.hpp"
#include "data/text/date_text.hpp"
#include "overtake/report.hpp"

namespace overtake {

namespace {

constexpr std::size_t most_examples = 3;

std::string value_text(const Column& column, double value) {
  return column.days ? data::day_text(value) : fmt::format("{}", value);
}

/// The rows in which distinct values are counted.
std::vector<double> sampled(const Column& column, std::int64_t most_rows) {
  const auto rows = static_cast<std::int64_t>(column.numbers.size());
  const std::int64_t step = most_rows > 0 ? std::max<std::int64_t>(1, (rows + most_rows - 1) / most_rows) : 1;
  std::vector<double> values;
  for (std::int64_t row = 0; row < rows; row += step) {
    const double value = column.numbers[static_cast<std::size_t>(row)];
    if (!std::isnan(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

void describe_numbers(const Column& column, std::int64_t most_rows, ColumnDescription& result) {
  result.kind = column.days ? "dates" : "numeric";
  const std::vector<double> values = sampled(column, most_rows);
  result.distinct = static_cast<std::int64_t>(values.size());
  double lowest = 0.0;
  double highest = 0.0;
  bool any = false;
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    const double value = column.numbers[row];
    if (std::isnan(value)) {
      ++result.missing;
      continue;
    }
    lowest = any ? std::min(lowest, value) : value;
    highest = any ? std::max(highest, value) : value;
    any = true;
    if (result.examples.size() == most_examples) continue;
    const std::string text = value_text(column, value);
    if (std::find(result.examples.begin(), result.examples.end(), text) == result.examples.end())
      result.examples.push_back(text);
  }
  if (!any) return;
  result.lowest = value_text(column, lowest);
  result.highest = value_text(column, highest);
  std::size_t kept = 1;
  for (std::size_t i = 1; i < values.size(); ++i) {
    kept += static_cast<float>(values[i]) != static_cast<float>(values[i - 1]) ? 1 : 0;
  }
  if (kept >= values.size()) return;
  result.float32_note = fmt::format(
      "models compute in float32, which joins its {} different values to {}; shift or scale the column to "
      "keep them apart",
      values.size(), kept);
}

void describe_text(const Column& column, ColumnDescription& result) {
  result.kind = "text";
  result.distinct = static_cast<std::int64_t>(column.categories.size());
  result.missing = std::count(column.codes.begin(), column.codes.end(), -1);
  for (std::size_t i = 0; i < column.categories.size() && i < most_examples; ++i) {
    result.examples.push_back(column.categories[i]);
  }
}

std::int64_t incomplete_rows(const Table& table) {
  std::int64_t count = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    const auto gap = [row](const Column& column) { return data::cell_missing(column, row); };
    count += std::any_of(table.columns.begin(), table.columns.end(), gap) ? 1 : 0;
  }
  return count;
}

/// "2 text (city, zip)"; empty where there is none.
std::string group_text(const TableDescription& description, const std::string& kind, bool with_names) {
  constexpr std::size_t most_names = 8;
  std::vector<std::string> names;
  for (const ColumnDescription& column : description.columns) {
    if (column.kind == kind) names.push_back(column.name);
  }
  if (names.empty()) return {};
  const std::size_t count = names.size();
  if (count > most_names) names.resize(most_names);
  const std::string list = fmt::format(" ({}{})", fmt::join(names, ", "), count > most_names ? ", ..." : "");
  return fmt::format("{} {}{}", count, kind, with_names ? list : "");
}

}  // namespace

TableDescription describe(const Table& table, std::int64_t most_rows) {
  TableDescription result;
  result.source = table.source;
  result.reading = table.reading;
  result.rows = table.rows;
  result.rows_with_missing = incomplete_rows(table);
  for (const Column& column : table.columns) {
    ColumnDescription described;
    described.name = column.name;
    described.notes = column.notes;
    if (column.kind == ColumnKind::numeric) {
      describe_numbers(column, most_rows, described);
    } else {
      describe_text(column, described);
    }
    result.columns.push_back(std::move(described));
  }
  return result;
}

std::string summary_of(const TableDescription& description) {
  std::vector<std::string> groups;
  for (const auto& [kind, named] : {std::pair("numeric", false), std::pair("dates", true), std::pair("text", true)}) {
    const std::string text = group_text(description, kind, named);
    if (!text.empty()) groups.push_back(text);
  }
  const std::string gaps =
      description.rows_with_missing == 0
          ? std::string("no missing cells")
          : fmt::format("{} of {} rows have missing cells", description.rows_with_missing, description.rows);
  return fmt::format("{} column{}: {}; {}", description.columns.size(), description.columns.size() == 1 ? "" : "s",
                     fmt::join(groups, ", "), gaps);
}

std::vector<std::string> ColumnDescription::all_notes() const {
  std::vector<std::string> all = notes;
  if (!float32_note.empty()) all.push_back(float32_note);
  return all;
}

report::Json to_json(const TableDescription& description) {
  using report::Json;
  Json columns = Json::array();
  for (const ColumnDescription& column : description.columns) {
    Json json = Json::object();
    json.set("name", column.name).set("kind", column.kind).set("missing", column.missing);
    json.set("distinct", column.distinct).set("lowest", Json::text_or_null(column.lowest));
    json.set("highest", Json::text_or_null(column.highest)).set("examples", Json::list(column.examples));
    columns.push(std::move(json.set("notes", Json::list(column.all_notes()))));
  }
  const Reading& reading = description.reading;
  const Notation& notation = reading.notation;
  Json how = Json::object();
  how.set("header", reading.has_header).set("delimiter", std::string(1, reading.delimiter));
  how.set("encoding", reading.encoding).set("decimal", std::string(1, notation.decimal));
  how.set("thousands", Json::text_or_null(notation.thousands)).set("units", Json::list(notation.units));
  how.set("missing", notation.missing ? Json::list(*notation.missing) : Json());
  Json json = Json::object();
  json.set("rows", description.rows).set("rows_with_missing", description.rows_with_missing);
  return json.set("reading", std::move(how)).set("columns", std::move(columns));
}

}  // namespace overtake
