// SPDX-License-Identifier: MIT
// overtake describe: what is made of a file's columns.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

#include "command.hpp"
#include "flags/names.hpp"
#include "flags/reading_options.hpp"
#include "output/description.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"

namespace cli {
namespace {

struct DescribeFlags : ReadingFlags {
  std::string json;
};

int run(const DescribeFlags& flags) {
  check_outputs({{"--json", flags.json}}, {{"DATA", flags.data}});
  overtake::TableOptions options;
  apply_notation(flags, options);
  options.text = parse_words(flags.text);
  const overtake::TableDescription description = overtake::describe(overtake::read_table(flags.data, options));
  if (!flags.json.empty()) {
    overtake::report::Json json = description_json(description);
    json.set("schema", "overtake.describe/1").set("data", flags.data);
    write_output(flags.json, json.dump() + "\n");
  }
  if (flags.json != "-") {
    print(description_text(description, standard_output().width));
  }
  return exit_ok;
}

}  // namespace

Command add_describe(CLI::App& root) {
  auto flags = std::make_shared<DescribeFlags>();
  CLI::App* app = root.add_subcommand("describe", "Show how a CSV file is read: kinds, ranges, gaps, notes");
  app->add_option("DATA", flags->data, "CSV file, plain or gzip")->required();
  app->add_option("--text", flags->text, "Columns that are text, whatever their cells look like")
      ->type_name("COLUMN,...");
  add_notation_flags(*app, *flags);
  app->add_option("--json", flags->json, "Write the description as JSON to a file (-: standard output)")
      ->type_name("FILE");
  app->footer(
      "Examples:\n"
      "  overtake describe iris.csv\n"
      "  overtake describe prices.csv --delimiter ';' --decimal , --units EUR\n"
      "docs/reading-data.md has the rules.");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace cli
