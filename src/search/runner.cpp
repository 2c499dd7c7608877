// SPDX-License-Identifier: MIT
#include "search/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/sample_weights.hpp"
#include "core/stop.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"

namespace overtake::search_detail {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// After a stop the metrics of a batch that is done are still computed, but those of thousands of jobs take long.
constexpr double most_metric_seconds = 0.5;

class Clock {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void check_data(const Dataset& data) {
  if (data.rows < 1) throw DataError("the data has no rows", "A search needs rows to train on and to score.");
  const std::size_t answers = data.task == Task::classification ? data.labels.size() : data.targets.size();
  if (static_cast<std::int64_t>(answers) != data.rows) {
    throw DataError(fmt::format("the data has {} targets for {} rows", answers, data.rows),
                    "A search needs the target of every row.");
  }
  if (static_cast<std::int64_t>(data.inputs.size()) != data.rows * data.features) {
    throw UsageError(fmt::format("the data has {} inputs, expected {} rows x {} features", data.inputs.size(),
                                 data.rows, data.features));
  }
}

/// The class that the metric is about; any for the others.
std::int32_t positive_of(Metric metric, const SearchOptions& options) {
  return is_about_one_class(metric) ? positive_class(metric, options.class_names, options.positive_class) : 1;
}

/// Its name; empty where the metric is about all classes.
std::string positive_name(Metric metric, const SearchOptions& options) {
  if (!is_about_one_class(metric)) return {};
  const auto place = static_cast<std::size_t>(positive_of(metric, options));
  return place < options.class_names.size() ? options.class_names[place] : fmt::format("{}", place);
}

void check_names(std::string_view what, const std::vector<std::string>& names, std::int64_t expected) {
  if (names.empty() || static_cast<std::int64_t>(names.size()) == expected) return;
  throw UsageError(fmt::format("{} has {} names for {}", what, names.size(), expected), "Give one for each, or none.");
}

class Runner {
 public:
  Runner(SearchResult& result, const SearchInput& input, Estimator& estimator, JobLog* log)
      : result_(result),
        input_(input),
        estimator_(estimator),
        log_(log),
        table_(result, input.candidates, static_cast<int>(input.folds.size())),
        probabilities_(input.options.train_scores || input.options.keep_predictions ||
                       std::any_of(result.metrics.begin(), result.metrics.end(), needs_probabilities)) {
    for (const Metric metric : result.metrics) positive_.push_back(positive_of(metric, input.options));
  }

  void take(std::span<const JobRecord> earlier) {
    for (const JobRecord& record : earlier) table_.add(record);
    result_.resumed_jobs = static_cast<std::int64_t>(earlier.size());
  }

  void run() {
    const std::vector<Job> jobs = open_jobs();
    const std::vector<Batch> batches = estimator_.plan(jobs);
    note_plan(jobs, batches);
    plan_memory(batches);
    if (input_.options.observer != nullptr) input_.options.observer->on_plan(result_.plan);
    for (const Batch& batch : batches) {
      if (!run_batch(batch)) break;
    }
    result_.interrupted = table_.jobs_done() < result_.plan.jobs;
    table_.summarise();
    warn_of_undefined_scores();
    refit();
    finish();
  }

 private:
  /// The jobs that nobody has run; those of candidates that cannot be trained get their failure here.
  std::vector<Job> open_jobs() {
    const std::vector<std::string> problems = estimator_.check();
    if (problems.size() != input_.candidates.size()) throw InternalError("the estimator did not check each candidate");
    std::vector<Job> jobs;
    std::vector<JobRecord> failed;
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(problems.size()); ++c) {
      for (std::int32_t f = 0; f < static_cast<std::int32_t>(input_.folds.size()); ++f) {
        const std::string& problem = problems[static_cast<std::size_t>(c)];
        if (table_.has({c, f})) continue;
        if (problem.empty()) {
          jobs.push_back({c, f});
        } else {
          failed.push_back({{c, f}, std::vector<double>(result_.metrics.size(), nan), problem});
        }
      }
    }
    keep(std::move(failed));
    return jobs;
  }

  void keep(std::vector<JobRecord> records) {
    if (records.empty()) return;
    if (log_ != nullptr) log_->append(records);
    for (JobRecord& record : records) table_.add(std::move(record));
  }

  void note_plan(const std::vector<Job>& jobs, const std::vector<Batch>& batches) {
    SearchPlan& plan = result_.plan;
    plan.candidates = static_cast<std::int64_t>(input_.candidates.size());
    plan.folds = static_cast<std::int64_t>(input_.folds.size());
    plan.jobs = plan.candidates * plan.folds;
    plan.batches = static_cast<std::int64_t>(batches.size());
    std::size_t planned = 0;
    for (const Batch& batch : batches) {
      planned += batch.jobs.size();
      plan.models += batch.models;
      plan.peak_bytes = std::max(plan.peak_bytes, batch.bytes);
    }
    if (planned != jobs.size()) {
      throw InternalError(fmt::format("{} jobs were planned, expected {}", planned, jobs.size()));
    }
  }

  /// Refuses what cannot fit into the computer's memory before anything is trained.
  void plan_memory(const std::vector<Batch>& batches) {
    MemoryPlan memory = estimator_.host_memory(batches);
    if (input_.options.keep_predictions) {
      std::uint64_t rows = 0;
      for (const Fold& fold : input_.folds) rows += fold.test.size();
      const auto outputs = static_cast<std::uint64_t>(std::max(input_.data.classes, 1));
      memory.add("predictions to keep", input_.candidates.size() * rows * outputs * sizeof(double));
    }
    require_host_memory(memory, input_.options.host_memory_limit, "the search",
                        "give fewer rows, or candidates of smaller models.");
    result_.plan.planned_host_bytes =
        std::max(host_memory_peak(), host_memory_held() + memory.bytes(MemoryPlace::host));
  }

  /// False when it was stopped: what was not scored by then is not done.
  [[nodiscard]] bool run_batch(const Batch& batch) {
    const StopToken* stop = input_.options.stop;
    if (is_stopped(stop)) return false;
    const Clock clock;
    const double scoring_before = estimator_.stats().timing.scoring;
    std::optional<std::vector<FoldOutcome>> outcomes = estimator_.run(batch, probabilities_, stop);
    if (!outcomes) return false;
    if (outcomes->size() != batch.jobs.size()) throw InternalError("a batch did not give one outcome a job");
    const double ran = clock.seconds();
    std::vector<JobRecord> records;
    records.reserve(outcomes->size());
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
      if (is_stopped(stop) && clock.seconds() - ran > most_metric_seconds) break;
      records.push_back(record_of(batch.jobs[i], std::move((*outcomes)[i])));
    }
    const double metric_seconds = clock.seconds() - ran;
    scoring_ += metric_seconds;
    const double device_scoring = std::clamp(estimator_.stats().timing.scoring - scoring_before, 0.0, ran);
    const auto jobs = static_cast<double>(batch.jobs.size());
    for (JobRecord& record : records) {
      record.fit_seconds = (ran - device_scoring) / jobs;
      record.score_seconds = (device_scoring + metric_seconds) / jobs;
    }
    const std::size_t scored = records.size();
    keep(std::move(records));
    jobs_run_ += static_cast<std::int64_t>(scored);
    tell();
    return scored == batch.jobs.size();
  }

  [[nodiscard]] std::vector<double> scores_of(const FoldOutcome& outcome, std::span<const std::int32_t> rows) const {
    std::vector<double> scores;
    for (std::size_t m = 0; m < result_.metrics.size(); ++m) {
      scores.push_back(score_of(result_.metrics[m], outcome, input_.data, rows, positive_[m]));
    }
    return scores;
  }

  JobRecord record_of(Job job, FoldOutcome outcome) const {
    JobRecord record{job, {}, outcome.failure};
    const std::span<const std::int32_t> rows = input_.folds[static_cast<std::size_t>(job.fold)].test;
    const SearchOptions& options = input_.options;
    if (!options.train_scores || !outcome.failure.empty()) {
      record.scores = scores_of(outcome, rows);  // NaN of a failure
      if (options.keep_predictions) record.predictions = std::move(outcome.predictions);
      return record;
    }
    const std::size_t trained = input_.folds[static_cast<std::size_t>(job.fold)].train.size();
    const std::size_t tested = rows.size() - trained;
    const std::size_t cut = outcome.predictions.size() / rows.size() * tested;
    const auto middle = outcome.predictions.begin() + static_cast<std::ptrdiff_t>(cut);
    FoldOutcome test = outcome_of({outcome.predictions.begin(), middle}, input_.data, rows.first(tested));
    FoldOutcome train = outcome_of({middle, outcome.predictions.end()}, input_.data, rows.last(trained));
    record.scores = scores_of(test, rows.first(tested));
    record.train_scores = scores_of(train, rows.last(trained));
    if (options.keep_predictions) record.predictions = std::move(test.predictions);
    if (options.keep_predictions) record.train_predictions = std::move(train.predictions);
    return record;
  }

  void tell() {
    if (input_.options.observer == nullptr) return;
    table_.summarise();
    SearchProgress progress;
    progress.done = table_.jobs_done();
    progress.total = result_.plan.jobs;
    progress.seconds = clock_.seconds();
    progress.fits_per_second = progress.seconds > 0 ? static_cast<double>(jobs_run_) / progress.seconds : 0;
    const auto left = static_cast<double>(progress.total - progress.done);
    progress.seconds_left = progress.fits_per_second > 0 ? left / progress.fits_per_second : 0;
    progress.best_score = nan;
    progress.device = result_.device;
    if (result_.best_index >= 0) {
      const SearchRow& best = result_.rows[static_cast<std::size_t>(result_.best_index)];
      progress.best_score = best.mean[result_.refit_metric];
      progress.best = best.parameters;
    }
    input_.options.observer->on_progress(progress);
  }

  /// A score may be undefined where nothing failed: roc_auc of test rows that are all of one class.
  void warn_of_undefined_scores() {
    for (std::size_t m = 0; m < result_.metrics.size(); ++m) {
      for (std::size_t f = 0; f < input_.folds.size(); ++f) {
        const bool undefined = std::any_of(result_.rows.begin(), result_.rows.end(), [&](const SearchRow& row) {
          return row.done && row.failure.empty() && std::isnan(row.scores[m][f]);
        });
        if (!undefined) continue;
        result_.warnings.push_back(fmt::format("{} is not defined in fold {}: too few rows or classes to score there",
                                               name_of(result_.metrics[m]), f));
      }
    }
  }

  /// A stop that ended the jobs leaves the best of them to be trained, if that is wanted; one that comes later ends
  /// this.
  void refit() {
    if (!input_.options.refit || result_.best_index < 0) return;
    if (result_.interrupted && !input_.options.refit_stopped) return;
    const Clock clock;
    try {
      result_.best = estimator_.refit(result_.best_index, result_.interrupted ? nullptr : input_.options.stop);
      if (!result_.best) {
        result_.interrupted = true;
        result_.warnings.emplace_back("stopped while the best candidate was trained on all rows: there is no model");
      }
    } catch (const Error& error) {
      result_.warnings.push_back(
          fmt::format("the best candidate could not be trained on all rows: {} {}", error.what(), error.hint()));
    }
    refit_seconds_ = clock.seconds();
  }

  void finish() {
    const EstimatorStats stats = estimator_.stats();
    result_.plan.launches = stats.launches;
    result_.plan.peak_bytes = std::max(result_.plan.peak_bytes, stats.peak_bytes);
    result_.plan.host_peak_bytes = host_memory_peak();
    result_.timing = stats.timing;
    result_.timing.scoring += scoring_;
    result_.timing.refit = refit_seconds_;
    result_.timing.wall = clock_.seconds();
  }

  SearchResult& result_;
  const SearchInput& input_;
  Estimator& estimator_;
  JobLog* log_;
  ScoreTable table_;
  bool probabilities_;
  std::vector<std::int32_t> positive_;  ///< [metric]
  Clock clock_;
  double scoring_ = 0;  ///< spent on metrics here, on the host
  double refit_seconds_ = 0;
  std::int64_t jobs_run_ = 0;
};

}  // namespace

SearchResult checked_result(const Dataset& data, const std::vector<Parameters>& candidates,
                            const SearchOptions& options) {
  check_data(data);
  check_sample_weights(options.sample_weight, data.rows);
  check_names("feature_names", options.feature_names, data.features);
  if (data.task == Task::classification) check_names("class_names", options.class_names, data.classes);
  if (candidates.empty()) throw UsageError("there is no candidate to try", "Give a grid or a space to draw from.");
  check_given_once(options.fixed);
  for (const Parameters& candidate : candidates) check_given_once(candidate);
  SearchResult result;
  result.task = data.task;
  result.estimator = estimator_named(options.estimator).name();
  result.metrics = options.metrics;
  if (result.metrics.empty()) result.metrics.push_back(default_metric(data.task));
  result.refit_metric = options.refit_metric;
  if (result.refit_metric >= result.metrics.size()) {
    throw UsageError(fmt::format("the refit metric is number {} of {}", result.refit_metric, result.metrics.size()));
  }
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    check_metric(result.metrics[m], data.task, data.classes);
    result.positive_classes.push_back(positive_name(result.metrics[m], options));
    const auto end = result.metrics.begin() + static_cast<std::ptrdiff_t>(m);
    if (std::find(result.metrics.begin(), end, result.metrics[m]) != end) {
      throw UsageError(fmt::format("the metric {} is given twice", name_of(result.metrics[m])));
    }
  }
  const bool about_one = std::any_of(result.metrics.begin(), result.metrics.end(), is_about_one_class);
  if (!options.positive_class.empty() && !about_one) {
    throw UsageError("a positive class is given, and no metric is about one class",
                     "f1, precision, recall and roc_auc are; leave the positive class out for others.");
  }
  result.device = options.device.id();
  result.device_reason = options.device_reason;
  result.prediction = options.prediction;
  return result;
}

void run_search(SearchResult& result, const SearchInput& input, Estimator& estimator,
                std::span<const JobRecord> earlier, JobLog* log) {
  Runner runner(result, input, estimator, log);
  runner.take(earlier);
  runner.run();
}

}  // namespace overtake::search_detail
