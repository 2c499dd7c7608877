// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "metrics/compared_rows.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using metrics::ComparedRows;

double value_of(Metric metric, const ComparedRows& rows, std::int32_t positive) {
  if (rows.task == Task::regression) {
    return score_of_errors(metric, error_sums(rows.predicted_numbers, rows.true_numbers), rows.true_numbers);
  }
  const auto classes = static_cast<std::int32_t>(rows.classes.size());
  if (needs_probabilities(metric)) {
    return score_of_probabilities(metric, rows.probabilities, rows.true_labels, classes, positive);
  }
  return score_of_counts(metric, class_counts(rows.predicted_labels, rows.true_labels, classes), positive);
}

/// Throws UsageError for a metric that the tables have no answer to.
Score score_of(Metric metric, const ComparedRows& rows, const std::string& wanted) {
  check_metric(metric, rows.task, static_cast<std::int32_t>(rows.classes.size()));
  if (needs_probabilities(metric) && rows.probabilities.empty()) {
    throw UsageError(fmt::format("the metric {} needs probabilities, and the predictions have none", name_of(metric)),
                     "Write them with \"overtake predict --proba\".");
  }
  if (!is_about_one_class(metric)) return {metric, {}, value_of(metric, rows, 1)};
  const std::int32_t positive = positive_class(metric, rows.classes, wanted);
  const auto place = static_cast<std::size_t>(positive);
  return {metric, place < rows.classes.size() ? rows.classes[place] : "", value_of(metric, rows, positive)};
}

bool applies(Metric metric, const ComparedRows& rows) {
  return is_for(metric, rows.task) && !(is_about_one_class(metric) && rows.classes.size() > 2) &&
         !(needs_probabilities(metric) && rows.probabilities.empty());
}

/// All metrics that apply, with a note on those that would need a positive class.
void add_all(const ComparedRows& rows, const std::string& wanted, Scores& scores) {
  std::vector<std::string_view> left_out;
  for (const Metric metric : all_metrics()) {
    if (!applies(metric, rows)) continue;
    try {
      scores.list.push_back(score_of(metric, rows, wanted));
    } catch (const UsageError&) {
      if (!wanted.empty()) throw;
      left_out.push_back(name_of(metric));
    }
  }
  if (left_out.empty()) return;
  scores.notes.push_back(
      fmt::format("{} need --positive-class {} or {}", fmt::join(left_out, ", "), rows.classes[0], rows.classes[1]));
}

}  // namespace

TableOptions ScoreOptions::truth_reading(TableOptions reading) const {
  // Numbers in a notation that is not set are no classes, unless the task says so.
  (task == Task::classification ? reading.names : reading.spelled).push_back(target);
  reading.others_ignored = true;
  return reading;
}

// In the plain notation, whatever the truth's.
TableOptions ScoreOptions::prediction_reading() const {
  TableOptions reading;
  reading.header = true;
  reading.names = {target};
  reading.others_ignored = true;
  reading.allow_absent = true;
  return reading;
}

Scores score_tables(const Table& predictions, const Table& truth, const ScoreOptions& options) {
  ComparedRows rows = metrics::compare(predictions, truth, options);
  Scores scores;
  scores.task = rows.task;
  scores.task_reason = rows.reason;
  scores.rows = rows.rows;
  for (const Metric metric : options.metrics) scores.list.push_back(score_of(metric, rows, options.positive_class));
  if (options.metrics.empty()) add_all(rows, options.positive_class, scores);
  scores.classes = std::move(rows.classes);
  const bool about_one = std::any_of(scores.list.begin(), scores.list.end(),
                                     [](const Score& score) { return is_about_one_class(score.metric); });
  if (options.positive_class.empty() || about_one) return scores;
  throw UsageError(
      fmt::format("positive class (--positive-class) {}: no metric is about one class", options.positive_class),
      "f1, precision, recall and roc_auc are, for two classes.");
}

report::Json to_json(const Scores& scores, const ScoreOptions& options) {
  using report::Json;
  Json values = Json::object();
  Json positive = Json::object();
  for (const Score& score : scores.list) {
    values.set(name_of(score.metric), score.value);
    if (!score.positive_class.empty()) positive.set(name_of(score.metric), score.positive_class);
  }
  Json json = Json::object();
  json.set("schema", "overtake.score/1").set("target", options.target).set("rows", scores.rows);
  json.set("task", name_of(scores.task)).set("task_reason", scores.task_reason);
  json.set("classes", Json::list(scores.classes)).set("positive_class", std::move(positive));
  return json.set("scores", std::move(values)).set("notes", Json::list(scores.notes));
}

}  // namespace overtake
