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

#include "command.hpp"
#include "flags/names.hpp"
#include "output/outputs.hpp"
#include "output/terminal.hpp"
#include "overtake/error.hpp"
#include "overtake/metrics.hpp"
#include "overtake/report.hpp"
#include "score_data.hpp"

namespace cli {
namespace {

namespace report = overtake::report;
using overtake::Metric;
using overtake::UsageError;

struct Score {
  Metric metric;
  std::string positive;  ///< the class that it is about; "" where it is about all
  double value;
};

struct Scores {
  std::vector<Score> list;
  std::vector<std::string> notes;
};

double score_of(Metric metric, const ScoredRows& rows, std::int32_t positive) {
  if (rows.task == overtake::Task::regression) {
    return overtake::score_of_errors(metric, overtake::error_sums(rows.predicted_numbers, rows.true_numbers),
                                     rows.true_numbers);
  }
  const auto classes = static_cast<std::int32_t>(rows.classes.size());
  if (overtake::needs_probabilities(metric)) {
    return overtake::score_of_probabilities(metric, rows.probabilities, rows.true_labels, classes, positive);
  }
  return overtake::score_of_counts(metric, overtake::class_counts(rows.predicted_labels, rows.true_labels, classes),
                                   positive);
}

/// Throws UsageError for a metric that the files have no answer to.
Score one_score(Metric metric, const ScoredRows& rows, const std::string& wanted) {
  overtake::check_metric(metric, rows.task, static_cast<std::int32_t>(rows.classes.size()));
  if (overtake::needs_probabilities(metric) && rows.probabilities.empty()) {
    throw UsageError(fmt::format("the metric {} needs probabilities, and the predictions have none", name_of(metric)),
                     "Write them with \"overtake predict --proba\".");
  }
  if (!overtake::is_about_one_class(metric)) {
    return {metric, {}, score_of(metric, rows, 1)};
  }
  const std::int32_t positive = overtake::positive_class(metric, rows.classes, wanted);
  const auto place = static_cast<std::size_t>(positive);
  return {metric, place < rows.classes.size() ? rows.classes[place] : "", score_of(metric, rows, positive)};
}

/// The metrics of --metrics, or all that apply, with a note on those that would need a flag.
Scores make_scores(const ScoreFlags& flags, const ScoredRows& rows) {
  Scores scores;
  for (const std::string& name : parse_words(flags.metrics)) {
    scores.list.push_back(one_score(overtake::parse_metric(name), rows, flags.positive_class));
  }
  if (!flags.metrics.empty()) {
    return scores;
  }
  std::vector<std::string> left_out;
  for (const Metric metric : overtake::all_metrics()) {
    const bool applies = overtake::is_for(metric, rows.task) &&
                         !(overtake::is_about_one_class(metric) && rows.classes.size() > 2) &&
                         !(overtake::needs_probabilities(metric) && rows.probabilities.empty());
    if (!applies) {
      continue;
    }
    try {
      scores.list.push_back(one_score(metric, rows, flags.positive_class));
    } catch (const UsageError&) {
      if (!flags.positive_class.empty()) {
        throw;
      }
      left_out.emplace_back(overtake::name_of(metric));
    }
  }
  if (!left_out.empty()) {
    scores.notes.push_back(
        fmt::format("{} need --positive-class {} or {}", fmt::join(left_out, ", "), rows.classes[0], rows.classes[1]));
  }
  return scores;
}

std::string classes_text(const std::vector<std::string>& classes) {
  constexpr std::size_t shown = 8;
  std::string text;
  for (std::size_t c = 0; c < std::min(shown, classes.size()); ++c) {
    text += (c > 0 ? ", " : "") + classes[c];
  }
  return fmt::format("{} class{}: {}{}", classes.size(), classes.size() == 1 ? "" : "es", text,
                     classes.size() > shown ? ", ..." : "");
}

std::string result_text(const ScoreFlags& flags, const ScoredRows& rows, const Scores& scores) {
  const bool classes = rows.task == overtake::Task::classification;
  std::string text = fmt::format("{} against column {} of {}: {} row{}, {} ({})\n", flags.predictions, flags.target,
                                 flags.truth, report::count(rows.rows), rows.rows == 1 ? "" : "s",
                                 classes ? classes_text(rows.classes) : "numbers", rows.reason);
  report::Table table;
  table.columns = {{"metric", report::Align::left}, {"score", report::Align::left}};
  const bool one_class =
      std::any_of(scores.list.begin(), scores.list.end(), [](const Score& score) { return !score.positive.empty(); });
  if (one_class) {
    table.columns.push_back({"positive class", report::Align::left});
  }
  for (const Score& score : scores.list) {
    table.rows.push_back({std::string(overtake::name_of(score.metric)),
                          std::isnan(score.value) ? "undefined" : fmt::format("{:.10g}", score.value), score.positive});
  }
  text += report::table_text(table);
  for (const std::string& note : scores.notes) {
    text += "note: " + note + "\n";
  }
  return text;
}

std::string result_json(const ScoreFlags& flags, const ScoredRows& rows, const Scores& scores) {
  report::Json classes = report::Json::array();
  for (const std::string& name : rows.classes) {
    classes.push(name);
  }
  report::Json values = report::Json::object();
  report::Json positive = report::Json::object();
  for (const Score& score : scores.list) {
    values.set(overtake::name_of(score.metric), score.value);
    if (!score.positive.empty()) {
      positive.set(overtake::name_of(score.metric), score.positive);
    }
  }
  report::Json notes = report::Json::array();
  for (const std::string& note : scores.notes) {
    notes.push(note);
  }
  report::Json json = report::Json::object();
  json.set("schema", "overtake.score/1").set("predictions", flags.predictions).set("truth", flags.truth);
  json.set("target", flags.target).set("rows", rows.rows);
  json.set("task", rows.task == overtake::Task::classification ? "classification" : "regression");
  json.set("task_reason", rows.reason).set("classes", std::move(classes)).set("positive_class", std::move(positive));
  return json.set("scores", std::move(values)).set("notes", std::move(notes)).dump() + "\n";
}

int run(const ScoreFlags& flags) {
  check_choice(flags.task, {"auto", "classification", "regression"}, "--task");
  for (const std::string& name : parse_words(flags.metrics)) {
    (void)overtake::parse_metric(name);  // before the files are read
  }
  check_outputs({{"--json", flags.json}}, {{"PREDICTIONS", flags.predictions}, {"--truth", flags.truth}});
  const ScoredRows rows = read_scored_rows(flags);
  const Scores scores = make_scores(flags, rows);
  if (!flags.positive_class.empty() && std::none_of(scores.list.begin(), scores.list.end(), [](const Score& score) {
        return overtake::is_about_one_class(score.metric);
      })) {
    throw UsageError(fmt::format("--positive-class {}: no metric is about one class", flags.positive_class),
                     "f1, precision, recall and roc_auc are, for two classes.");
  }
  if (!flags.json.empty()) {
    write_output(flags.json, result_json(flags, rows, scores));
  }
  if (!is_standard_output(flags.json)) {
    print(result_text(flags, rows, scores));
  }
  return exit_ok;
}

}  // namespace

Command add_score(CLI::App& root) {
  auto flags = std::make_shared<ScoreFlags>();
  CLI::App* app = root.add_subcommand("score", "Compute the metrics of predictions from files");
  app->add_option("PREDICTIONS", flags->predictions, "CSV file that \"overtake predict --out\" wrote")->required();
  app->add_option("--truth", flags->truth, "CSV file with the true values, in the same order of rows")
      ->required()
      ->type_name("FILE");
  app->add_option("--target", flags->target, "The column, of both files, that is compared")
      ->required()
      ->type_name("COLUMN");
  app->add_option("--metrics", flags->metrics, "Metrics (default: all that apply)")->type_name("METRIC,...");
  app->add_option("--positive-class", flags->positive_class,
                  "The class that f1, precision, recall and roc_auc are about (default: 1; roc_auc: the second)")
      ->type_name("NAME");
  app->add_option("--task", flags->task, "auto, classification or regression")->capture_default_str();
  app->add_option("--json", flags->json, "Write the scores as JSON to a file (-: standard output)")->type_name("FILE");
  app->add_option("--text", flags->text, "Columns of the truth that are text, whatever their cells look like")
      ->type_name("COLUMN,...");
  add_notation_flags(*app, *flags);
  app->footer(
      "Example:\n"
      "  overtake predict forest.overtake test.csv --proba --out p.csv && overtake score p.csv --truth test.csv "
      "--target species");
  return {app, [flags] { return run(*flags); }};
}

}  // namespace cli
