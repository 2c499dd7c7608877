// SPDX-License-Identifier: MIT
// overtake describe: what is made of a file's columns.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <string>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/reading_options.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/report.hpp"
#include "training_data.hpp"

namespace cli {
namespace {

struct DescribeFlags : ReadingFlags {
  std::string json;
};

int run(const DescribeFlags& flags) {
  check_outputs({{"--json", flags.json}}, {{"DATA", flags.data}});
  const overtake::TableDescription description = overtake::describe(overtake::read_table(flags.data, flags.over()));
  if (!flags.json.empty()) {
    overtake::report::Json json = to_json(description);
    write_output(flags.json, json.set("schema", "overtake.describe/1").set("data", flags.data).dump() + "\n");
  }
  if (!is_standard_output(flags.json)) print(description_text(description));
  return exit_ok;
}

}  // namespace

Command add_describe(CLI::App& root) {
  auto flags = std::make_shared<DescribeFlags>();
  CLI::App* app = root.add_subcommand("describe", "Show how a CSV file is read: kinds, ranges, gaps, notes");
  app->add_option("DATA", flags->data, "CSV file, plain or gzip")->required();
  add_text_flag(*app, *flags);
  add_notation_flags(*app, *flags);
  add_json_flag(*app, flags->json);
  app->footer(
      "Examples:\n"
      "  overtake describe iris.csv\n"
      "  overtake describe prices.csv --delimiter ';' --decimal , --units EUR\n"
      "docs/reading-data.md has the rules.");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace cli
