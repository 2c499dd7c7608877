// SPDX-License-Identifier: MIT
#include "search/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/stop.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "search/side_by_side.hpp"

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
    if (input_.options.helper) {
      run_shared(batches);
    } else {
      run_alone(batches);
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

  /// One batch after the other, until it is stopped: what was not scored by then is not done.
  void run_alone(const std::vector<Batch>& batches) {
    const StopToken* stop = input_.options.stop;
    for (const Batch& batch : batches) {
      if (is_stopped(stop)) return;
      auto ran = run_timed(estimator_, batch, probabilities_, stop, main_device);
      if (!ran) return;
      take_batch(*std::move(ran));
    }
  }

  void run_shared(const std::vector<Batch>& batches) {
    double work = 0;
    std::size_t jobs = 0;
    for (const Batch& batch : batches) {
      work += batch.work;
      jobs += batch.jobs.size();
    }
    const SearchOptions& options = input_.options;
    const auto& alone = options.alone_seconds;
    Paces paces{estimator_.pace(main_device), estimator_.pace(helper_device)};
    if (work > 0 && alone[main_device] > 0 && alone[helper_device] > 0) {
      const double left = static_cast<double>(jobs) / static_cast<double>(result_.plan.jobs);  // beside the journal's
      for (const std::size_t device : {main_device, helper_device}) {
        const double growing = std::max(alone[device] - options.batch_seconds[device], alone[device] / 8);
        paces[device] = work / (growing * left);
      }
    }
    result_.plan.batches = 0;
    run_side_by_side(batches, paces, estimator_,
                     {probabilities_,
                      options.stop,
                      options.batch_seconds,
                      {options.device.id() == "cpu", options.helper->id() == "cpu"}},
                     [&](RanBatch ran) {
                       result_.plan.batches += 1;
                       take_batch(std::move(ran));
                     });
  }

  void take_batch(RanBatch ran) {
    const StopToken* stop = input_.options.stop;
    const Clock clock;
    std::vector<JobRecord> records;
    records.reserve(ran.outcomes.size());
    for (std::size_t i = 0; i < ran.outcomes.size(); ++i) {
      if (is_stopped(stop) && clock.seconds() > most_metric_seconds) break;
      records.push_back(record_of(ran.batch.jobs[i], std::move(ran.outcomes[i])));
    }
    const double metric_seconds = clock.seconds();
    scoring_ += metric_seconds;
    const auto jobs = static_cast<double>(ran.batch.jobs.size());
    for (JobRecord& record : records) {
      record.fit_seconds = (ran.seconds - ran.scoring_seconds) / jobs;
      record.score_seconds = (ran.scoring_seconds + metric_seconds) / jobs;
    }
    const auto scored = static_cast<std::int64_t>(records.size());
    keep(std::move(records));
    jobs_run_ += scored;
    DeviceShare& share = result_.devices[ran.device];
    share.jobs += scored;
    share.seconds += ran.seconds;
    tell();
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

  /// The one whose jobs took less time each: they ran many at a time, which helps a GPU, so it is not asked to run one
  /// alone that was slower even so.
  [[nodiscard]] std::size_t faster_device() const {
    if (result_.devices.size() < 2) return main_device;
    const DeviceShare& main = result_.devices[main_device];
    const DeviceShare& helper = result_.devices[helper_device];
    const bool helper_is_faster =
        helper.seconds * static_cast<double>(main.jobs) < main.seconds * static_cast<double>(helper.jobs);
    return helper.jobs > 0 && main.jobs > 0 && helper_is_faster ? helper_device : main_device;
  }

  /// A stop that ended the jobs leaves the best of them to be trained, if that is wanted; one that comes later ends
  /// this.
  void refit() {
    if (!input_.options.refit || result_.best_index < 0) return;
    if (result_.interrupted && !input_.options.refit_stopped) return;
    const Clock clock;
    try {
      const StopToken* stop = result_.interrupted ? nullptr : input_.options.stop;
      result_.best = estimator_.refit(result_.best_index, stop, faster_device());
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
    result_.timing = {};
    for (std::size_t device = 0; device < result_.devices.size(); ++device) {
      const EstimatorStats stats = estimator_.stats(device);
      result_.plan.launches += stats.launches;
      result_.plan.peak_bytes = std::max(result_.plan.peak_bytes, stats.peak_bytes);
      result_.timing.startup += stats.timing.startup;
      result_.timing.upload += stats.timing.upload;
      result_.timing.compute += stats.timing.compute;
      result_.timing.scoring += stats.timing.scoring;
    }
    result_.plan.host_peak_bytes = host_memory_peak();
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

void run_search(SearchResult& result, const SearchInput& input, Estimator& estimator,
                std::span<const JobRecord> earlier, JobLog* log) {
  Runner runner(result, input, estimator, log);
  runner.take(earlier);
  runner.run();
}

}  // namespace overtake::search_detail
