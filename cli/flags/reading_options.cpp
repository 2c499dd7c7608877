// SPDX-License-Identifier: MIT
#include "flags/reading_options.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "flags/names.hpp"
#include "overtake/error.hpp"

namespace cli {
namespace {

using overtake::DateOrder;
using overtake::UsageError;

/// One character, or a word for it.
char character_of(const std::string& text, const std::string& flag) {
  constexpr std::array<std::pair<const char*, char>, 7> words = {{{"comma", ','},
                                                                  {"semicolon", ';'},
                                                                  {"tab", '\t'},
                                                                  {"\\t", '\t'},
                                                                  {"pipe", '|'},
                                                                  {"space", ' '},
                                                                  {"point", '.'}}};
  for (const auto& [word, character] : words) {
    if (text == word) {
      return character;
    }
  }
  if (text.size() != 1) {
    throw UsageError(fmt::format("{} \"{}\": expected one character", flag, text),
                     "Or one of comma, semicolon, tab, pipe, space, point.");
  }
  return text[0];
}

void apply_dates(const std::string& rule, overtake::Notation& notation) {
  constexpr std::array<std::pair<const char*, DateOrder>, 4> orders = {{{"iso", DateOrder::iso},
                                                                        {"ymd", DateOrder::year_month_day},
                                                                        {"dmy", DateOrder::day_month_year},
                                                                        {"mdy", DateOrder::month_day_year}}};
  for (const auto& [name, order] : orders) {
    if (rule == name) {
      notation.dates = order;
      return;
    }
  }
  if (rule.find('%') == std::string::npos) {
    check_choice(rule, {"iso", "ymd", "dmy", "mdy"}, "--dates");
  }
  notation.date_format = rule;
}

bool is_used(const overtake::Preprocessing& preprocessing, const std::string& column) {
  const auto& features = preprocessing.features;
  return column == preprocessing.target ||
         std::any_of(features.begin(), features.end(), [&](const overtake::Feature& f) { return f.name == column; });
}

}  // namespace

void add_notation_flags(CLI::App& app, ReadingFlags& flags) {
  const auto* header = app.add_flag("--header", flags.header, "The first line holds names (default: detected)");
  app.add_flag("--no-header", flags.no_header, "The first line is data; columns are column_1, column_2, ...")
      ->excludes(app.get_option(header->get_name()));
  app.add_option("--delimiter", flags.delimiter, "Between cells (default: comma, semicolon, tab or pipe, detected)")
      ->type_name("CHAR");
  app.add_option("--decimal", flags.decimal, "Decimal mark: . or , (default: .)")->type_name("CHAR");
  app.add_option("--thousands", flags.thousands, "Between groups of three digits: one of , . ' _ space (default: none)")
      ->type_name("CHAR");
  app.add_option("--units", flags.units, "Signs beside numbers that are dropped: '$,%,kg'")->type_name("UNIT,...");
  app.add_option("--dates", flags.dates, "Dates besides ISO 8601: dmy, mdy, ymd, or a format such as '%d %b %Y'")
      ->type_name("RULE");
  app.add_option(
         "--missing", flags.missing,
         "Words that mean a missing cell, exact in case (default: NA, N/A, n/a, NaN, nan, null, NULL, #N/A, <NA>, "
         "? outside quotes)")
      ->type_name("WORD,...");
  app.add_option("--encoding", flags.encoding, "utf-8, utf-16, latin-1, windows-1252 (default: utf-8)")
      ->type_name("NAME");
}

void add_reading_flags(CLI::App& app, ReadingFlags& flags) {
  app.add_option("DATA", flags.data, "CSV file, plain or gzip")->required();
  app.add_option("--task", flags.task, "auto, classification or regression")->capture_default_str();
  app.add_option("--drop", flags.drop, "Columns to leave out")->type_name("COLUMN,...");
  app.add_option("--text", flags.text, "Columns that are text, whatever their cells look like")
      ->type_name("COLUMN,...");
  add_notation_flags(app, flags);
}

void apply_notation(const ReadingFlags& flags, overtake::TableOptions& options) {
  if (flags.header || flags.no_header) {
    options.header = flags.header;
  }
  if (!flags.delimiter.empty()) {
    options.delimiter = character_of(flags.delimiter, "--delimiter");
  }
  if (!flags.encoding.empty()) {
    options.encoding = flags.encoding;
  }
  overtake::Notation& notation = options.notation;
  if (!flags.decimal.empty()) {
    notation.decimal = character_of(flags.decimal, "--decimal");
  }
  if (!flags.thousands.empty()) {
    notation.thousands = std::string(1, character_of(flags.thousands, "--thousands"));
  }
  if (!flags.units.empty()) {
    notation.units = parse_words(flags.units);
  }
  if (!flags.dates.empty()) {
    apply_dates(flags.dates, notation);
  }
  if (flags.missing) {
    notation.missing = parse_words(*flags.missing);
  }
}

overtake::TableOptions training_options(const ReadingFlags& flags, const std::string& target) {
  overtake::TableOptions options;
  apply_notation(flags, options);
  options.text = parse_words(flags.text);
  options.ignored = parse_words(flags.drop);
  if (std::find(options.ignored.begin(), options.ignored.end(), target) != options.ignored.end()) {
    throw UsageError(fmt::format("--drop {}: that column is the target", target));
  }
  // Where the task says that its cells are names, they need not be of one kind.
  (flags.task == "classification" ? options.names : options.spelled).push_back(target);
  return options;
}

std::optional<overtake::Task> task_of(const ReadingFlags& flags) {
  check_choice(flags.task, {"auto", "classification", "regression"}, "--task");
  if (flags.task == "auto") {
    return std::nullopt;
  }
  return flags.task == "classification" ? overtake::Task::classification : overtake::Task::regression;
}

std::string decisions_text(const overtake::Table& table, const overtake::TableDescription& description,
                           const overtake::Preprocessing& preprocessing, bool task_given) {
  std::string text = fmt::format("read: {}\n", overtake::summary_of(description));
  if (task_given) {
    return text;
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name != preprocessing.target) {
      continue;
    }
    const bool classes = preprocessing.task == overtake::Task::classification;
    text += fmt::format("task: {}, since {} (--task {} changes that)\n", classes ? "classification" : "regression",
                        overtake::detect_task(table, i).reason, classes ? "regression" : "classification");
  }
  return text;
}

std::string notes_text(const overtake::TableDescription& description, const overtake::Preprocessing& preprocessing) {
  std::string text;
  for (const overtake::ColumnDescription& column : description.columns) {
    for (const std::string& note : column.notes) {
      if (is_used(preprocessing, column.name)) {
        text += fmt::format("note: column {}: {}\n", column.name, note);
      }
    }
    const bool feature = is_used(preprocessing, column.name) && column.name != preprocessing.target;
    if (feature && !column.float32_note.empty()) {
      text += fmt::format("note: column {}: {}\n", column.name, column.float32_note);
    }
  }
  return text;
}

std::string notes_text(const overtake::TransformReport& report) {
  std::string text;
  for (const overtake::UnseenCells& found : report.unseen) {
    text += fmt::format("note: column {}: {} of {} cells were not seen in training, such as \"{}\"; taken as missing\n",
                        found.column, found.cells, found.present, found.example);
  }
  for (const std::string& note : report.notes) {
    text += fmt::format("note: {}\n", note);
  }
  return text;
}

}  // namespace cli
