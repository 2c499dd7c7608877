// SPDX-License-Identifier: MIT
#include "flags/reading_options.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <utility>

#include "flags/names.hpp"
#include "overtake/error.hpp"
#include "overtake/text.hpp"

namespace cli {
namespace {

using overtake::DateOrder;
using overtake::TableOptions;
using overtake::Task;

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
    if (text == word) return character;
  }
  if (text.size() == 1) return text[0];
  throw overtake::UsageError(fmt::format("{} \"{}\": expected one character", flag, text),
                             "Or one of comma, semicolon, tab, pipe, space, point.");
}

void set_dates(const std::string& rule, overtake::Notation& notation) {
  static const std::vector<std::string> names = {"iso", "ymd", "dmy", "mdy"};
  constexpr std::array orders = {DateOrder::iso, DateOrder::year_month_day, DateOrder::day_month_year,
                                 DateOrder::month_day_year};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (rule == names[i]) notation.dates = orders[i];
  }
  if (rule.find('%') != std::string::npos) {
    notation.date_format = rule;
  } else {
    overtake::text::check_choice("--dates", rule, names);
  }
}

/// A flag whose text goes into the options of reading as `set` says.
template <typename Set>
void add(CLI::App& app, ReadingFlags& flags, const char* name, const char* type, const char* help, Set set) {
  const auto keep = [&flags, set](const std::string& text) {
    flags.given.emplace_back([set, text](TableOptions& options) { set(options, text); });
  };
  app.add_option_function<std::string>(name, keep, help)->type_name(type);
}

}  // namespace

TableOptions ReadingFlags::over(TableOptions options) const {
  for (const auto& set : given) set(options);
  return options;
}

TableOptions DataFlags::training_options() const {
  TableOptions options = over();
  roles.apply_to(options, task);
  return options;
}

void add_notation_flags(CLI::App& app, ReadingFlags& flags) {
  const auto header = [&flags](bool value) {
    return [&flags, value] { flags.given.emplace_back([value](TableOptions& options) { options.header = value; }); };
  };
  CLI::Option* with = app.add_flag_callback("--header", header(true), "The first line holds names (default: detected)");
  app.add_flag_callback("--no-header", header(false), "The first line is data; columns are column_1, column_2, ...")
      ->excludes(with);
  add(app, flags, "--delimiter", "CHAR", "Between cells (default: comma, semicolon, tab or pipe, detected)",
      [](TableOptions& to, const std::string& text) { to.delimiter = character_of(text, "--delimiter"); });
  add(app, flags, "--decimal", "CHAR", "Decimal mark: . or , (default: .)",
      [](TableOptions& to, const std::string& text) { to.notation.decimal = character_of(text, "--decimal"); });
  add(app, flags, "--thousands", "CHAR", "Between groups of three digits: one of , . ' _ space (default: none)",
      [](TableOptions& to, const std::string& text) { to.notation.thousands = character_of(text, "--thousands"); });
  add(app, flags, "--units", "UNIT,...", "Signs beside numbers that are dropped: '$,%,kg'",
      [](TableOptions& to, const std::string& text) { to.notation.units = parse_words(text); });
  add(app, flags, "--dates", "RULE", "Dates besides ISO 8601: dmy, mdy, ymd, or a format such as '%d %b %Y'",
      [](TableOptions& to, const std::string& text) { set_dates(text, to.notation); });
  add(app, flags, "--missing", "WORD,...",
      "Words that mean a missing cell, exact in case (default: NA, N/A, n/a, NaN, nan, null, NULL, #N/A, <NA>, ? "
      "outside quotes)",
      [](TableOptions& to, const std::string& text) { to.notation.missing = parse_words(text); });
  add(app, flags, "--encoding", "NAME", "utf-8, utf-16, latin-1, windows-1252 (default: utf-8)",
      [](TableOptions& to, const std::string& text) { to.encoding = text; });
}

void add_text_flag(CLI::App& app, ReadingFlags& flags) {
  add(app, flags, "--text", "COLUMN,...", "Columns that are text, whatever their cells look like",
      [](TableOptions& to, const std::string& text) { to.text = parse_words(text); });
}

void add_task_flag(CLI::App& app, std::optional<Task>& task) {
  const auto set = [&task](const std::string& text) {
    static const std::vector<std::string> names = {"auto", "classification", "regression"};
    overtake::text::check_choice("--task", text, names);
    if (text != names[0]) task = text == names[1] ? Task::classification : Task::regression;
  };
  app.add_option_function<std::string>("--task", set, "auto, classification or regression")->default_str("auto");
}

void add_data_flags(CLI::App& app, DataFlags& flags) {
  app.add_option("DATA", flags.data, "CSV file, plain or gzip")->required();
  app.add_option("--target", flags.roles.target, "Column to predict")->required()->type_name("COLUMN");
  add_task_flag(app, flags.task);
  add(app, flags, "--drop", "COLUMN,...", "Columns to leave out",
      [](TableOptions& to, const std::string& text) { to.ignored = parse_words(text); });
  add_text_flag(app, flags);
  add_notation_flags(app, flags);
}

}  // namespace cli
