// SPDX-License-Identifier: MIT
// overtake score: every metric of predictions that are in a file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "command.hpp"
#include "flags/common_options.hpp"
#include "flags/names.hpp"
#include "flags/reading_options.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/report.hpp"
#include "overtake/scores.hpp"

namespace cli {
namespace {

namespace report = overtake::report;

struct ScoreFlags {
  ReadingFlags truth;
  overtake::ScoreOptions options;
  std::string predictions, metrics, json;
};

std::string classes_text(std::span<const std::string> classes) {
  constexpr std::size_t shown = 8;
  const bool many = classes.size() > shown;
  return fmt::format("{}: {}{}", report::counted(static_cast<std::int64_t>(classes.size()), "class", "es"),
                     fmt::join(classes.first(many ? shown : classes.size()), ", "), many ? ", ..." : "");
}

std::string result_text(const ScoreFlags& flags, const overtake::Scores& scores) {
  const bool classes = scores.task == overtake::Task::classification;
  std::string text = fmt::format("{} against column {} of {}: {}, {} ({})\n", flags.predictions, flags.options.target,
                                 flags.truth.data, report::counted(scores.rows, "row"),
                                 classes ? classes_text(scores.classes) : "numbers", scores.task_reason);
  report::Table table;
  table.columns = {{"metric", report::Align::left}, {"score", report::Align::left}};
  const bool one_class = std::any_of(scores.list.begin(), scores.list.end(),
                                     [](const overtake::Score& score) { return !score.positive_class.empty(); });
  if (one_class) table.columns.push_back({"positive class", report::Align::left});
  for (const overtake::Score& score : scores.list) {
    table.rows.push_back({std::string(overtake::name_of(score.metric)),
                          std::isnan(score.value) ? "undefined" : fmt::format("{:.10g}", score.value),
                          score.positive_class});
  }
  text += report::table_text(table);
  for (const std::string& note : scores.notes) text += "note: " + note + "\n";
  return text;
}

int run(ScoreFlags& flags) {
  overtake::ScoreOptions& options = flags.options;
  for (const std::string& name : parse_words(flags.metrics)) options.metrics.push_back(overtake::parse_metric(name));
  check_outputs({{"--json", flags.json}}, {{"PREDICTIONS", flags.predictions}, {"--truth", flags.truth.data}});
  const overtake::Table truth = overtake::read_table(flags.truth.data, options.truth_reading(flags.truth.over()));
  const overtake::Table predictions = overtake::read_table(flags.predictions, options.prediction_reading());
  const overtake::Scores scores = overtake::score_tables(predictions, truth, options);
  if (!flags.json.empty()) {
    report::Json json = to_json(scores, options);
    write_output(flags.json, json.set("predictions", flags.predictions).set("truth", flags.truth.data).dump() + "\n");
  }
  if (!is_standard_output(flags.json)) print(result_text(flags, scores));
  return exit_ok;
}

}  // namespace

Command add_score(CLI::App& root) {
  auto flags = std::make_shared<ScoreFlags>();
  CLI::App* app = root.add_subcommand("score", "Compute the metrics of predictions from files");
  app->add_option("PREDICTIONS", flags->predictions, "CSV file that \"overtake predict --out\" wrote")->required();
  app->add_option("--truth", flags->truth.data, "CSV file with the true values, in the same order of rows")
      ->required()
      ->type_name("FILE");
  app->add_option("--target", flags->options.target, "The column, of both files, that is compared")
      ->required()
      ->type_name("COLUMN");
  app->add_option("--metrics", flags->metrics, "Metrics (default: all that apply)")->type_name("METRIC,...");
  add_positive_class_flag(*app, flags->options.positive_class);
  add_task_flag(*app, flags->options.task);
  add_json_flag(*app, flags->json);
  add_text_flag(*app, flags->truth);
  add_notation_flags(*app, flags->truth);
  app->footer(
      "Example:\n"
      "  overtake predict forest.overtake test.csv --proba --out p.csv && overtake score p.csv --truth test.csv "
      "--target species");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace cli
