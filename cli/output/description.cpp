// SPDX-License-Identifier: MIT
#include "output/description.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cli {
namespace {

namespace report = overtake::report;

std::string shortened(const std::string& text) {
  constexpr std::size_t longest = 24;
  if (text.size() <= longest) {
    return text;
  }
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;  // not inside a UTF-8 sequence
  }
  return text.substr(0, end) + "...";
}

std::string examples_text(const overtake::ColumnDescription& column) {
  std::vector<std::string> examples;
  for (const std::string& example : column.examples) {
    examples.push_back(shortened(example));
  }
  return fmt::format("{}", fmt::join(examples, ", "));
}

std::string mark_text(char mark) { return mark == '\t' ? "tab" : std::string(1, mark); }

std::string reading_text(const overtake::Reading& reading) {
  const overtake::Notation& notation = reading.notation;
  std::string text =
      fmt::format("{}, delimiter {}, decimal mark {}", reading.has_header ? "with header" : "without header",
                  mark_text(reading.delimiter), notation.decimal);
  text += notation.thousands.empty() ? "" : fmt::format(", thousands separator \"{}\"", notation.thousands);
  text += notation.units.empty() ? "" : fmt::format(", units {}", fmt::join(notation.units, " "));
  return text + fmt::format(", {}", reading.encoding);
}

report::Json texts(const std::vector<std::string>& values) {
  report::Json list = report::Json::array();
  for (const std::string& value : values) {
    list.push(value);
  }
  return list;
}

std::vector<std::string> all_notes(const overtake::ColumnDescription& column) {
  std::vector<std::string> notes = column.notes;
  if (!column.float32_note.empty()) {
    notes.push_back(column.float32_note);
  }
  return notes;
}

report::Json text_or_null(const std::string& text) { return text.empty() ? report::Json() : report::Json(text); }

}  // namespace

std::string description_text(const overtake::TableDescription& description, int width) {
  report::Table table;
  table.columns = {{"column", report::Align::left},
                   {"kind", report::Align::left},
                   {"missing"},
                   {"distinct"},
                   {"lowest", report::Align::right, 2},
                   {"highest", report::Align::right, 2},
                   {"examples", report::Align::left, 1}};
  std::string notes;
  for (const overtake::ColumnDescription& column : description.columns) {
    table.rows.push_back({shortened(column.name), column.kind, report::count(column.missing),
                          report::count(column.distinct), column.lowest, column.highest, examples_text(column)});
    for (const std::string& note : all_notes(column)) {
      notes += fmt::format("note: column {}: {}\n", column.name, note);
    }
  }
  return fmt::format("{}: {} rows; {}\nread {}\n\n", description.source, report::count(description.rows),
                     overtake::summary_of(description), reading_text(description.reading)) +
         report::table_text(table, width) + notes;
}

report::Json description_json(const overtake::TableDescription& description) {
  report::Json columns = report::Json::array();
  for (const overtake::ColumnDescription& column : description.columns) {
    report::Json json = report::Json::object();
    json.set("name", column.name)
        .set("kind", column.kind)
        .set("missing", column.missing)
        .set("distinct", column.distinct);
    json.set("lowest", text_or_null(column.lowest)).set("highest", text_or_null(column.highest));
    json.set("examples", texts(column.examples)).set("notes", texts(all_notes(column)));
    columns.push(std::move(json));
  }
  const overtake::Reading& reading = description.reading;
  const overtake::Notation& notation = reading.notation;
  report::Json how = report::Json::object();
  how.set("header", reading.has_header).set("delimiter", std::string(1, reading.delimiter));
  how.set("encoding", reading.encoding).set("decimal", std::string(1, notation.decimal));
  how.set("thousands", text_or_null(notation.thousands)).set("units", texts(notation.units));
  how.set("missing", notation.missing ? texts(*notation.missing) : report::Json());
  report::Json json = report::Json::object();
  json.set("rows", description.rows).set("rows_with_missing", description.rows_with_missing);
  return json.set("reading", std::move(how)).set("columns", std::move(columns));
}

}  // namespace cli
