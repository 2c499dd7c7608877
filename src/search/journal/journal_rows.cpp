// SPDX-License-Identifier: MIT
#include "search/journal/journal_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "overtake/error.hpp"
#include "search/journal/database.hpp"

namespace overtake::search_detail {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// A second is the unit of every time here; no search lasts a thousand years.
constexpr double longest_seconds = 3e10;

bool is_time(double seconds) { return std::isnan(seconds) || (seconds >= 0 && seconds <= longest_seconds); }

[[noreturn]] void fail_fit(const Database& database, Job job, std::string_view what) {
  throw DataError(
      fmt::format("the journal {} is damaged: candidate {}, fold {}: {}", database.path().string(), job.candidate,
                  job.fold, what),
      "Delete this candidate and fold from the tables job and score, and the search computes them again; or "
      "move the file away and run the search anew.");
}

std::string job_checksum(std::string_view seal, std::int64_t run, const JobRecord& record,
                         const std::vector<Metric>& metrics) {
  RowChecksum checksum(seal, "job");
  checksum.add(std::int64_t{record.job.candidate}).add(std::int64_t{record.job.fold}).add(run).add(record.failure);
  checksum.add(record.fit_seconds).add(record.score_seconds);
  for (std::size_t m = 0; m < metrics.size(); ++m) checksum.add(name_of(metrics[m])).add(record.scores[m]);
  return checksum.hex();
}

/// The job of a row whose first columns are candidate and fold.
Job job_of(const Database& database, const Statement& row, const JournalSettings& settings) {
  const std::int64_t candidate = row.integer(0);
  const std::int64_t fold = row.integer(1);
  if (candidate < 0 || fold < 0 || candidate >= settings.candidates || fold >= settings.folds) {
    fail_damaged(database, fmt::format("it has a score of candidate {}, fold {}", candidate, fold));
  }
  return {static_cast<std::int32_t>(candidate), static_cast<std::int32_t>(fold)};
}

bool before(Job a, Job b) { return a.candidate != b.candidate ? a.candidate < b.candidate : a.fold < b.fold; }

/// Reads the scores of a job, which stand together, from where the job before left off.
void take_scores(const Database& database, Statement& scores, const JournalSettings& settings, JobRecord& record) {
  const std::vector<Metric>& metrics = settings.metrics;
  std::vector<bool> found(metrics.size());
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!scores.step()) fail_fit(database, record.job, "scores are missing");
    const Job job = job_of(database, scores, settings);
    if (before(job, record.job)) fail_fit(database, job, "it has a score of no job");
    if (before(record.job, job)) fail_fit(database, record.job, "scores are missing");
    const std::string name = scores.text(2);
    const auto metric = std::find_if(metrics.begin(), metrics.end(), [&](Metric m) { return name_of(m) == name; });
    const auto place = static_cast<std::size_t>(metric - metrics.begin());
    if (metric == metrics.end() || found[place]) fail_fit(database, job, "it has a score of no metric");
    found[place] = true;
    record.scores[place] = scores.number(3);
    if (!is_possible(*metric, record.scores[place])) {
      fail_fit(database, job, fmt::format("{} of {} cannot be", name, record.scores[place]));
    }
  }
}

std::string run_checksum(std::string_view seal, std::int64_t id, std::string_view started, std::string_view device,
                         std::string_view reason) {
  return RowChecksum(seal, "run").add(id).add(started).add(device).add(reason).hex();
}

/// A row of `finish`, as it is written and read.
struct Finish {
  std::int64_t run = 0;
  std::string ended;
  std::int64_t interrupted = 0, models = 0, batches = 0, launches = 0, peak_bytes = 0;
  std::array<double, 6> seconds{};  ///< startup, upload, compute, scoring, refit, wall

  [[nodiscard]] std::string checksum(std::string_view seal) const {
    RowChecksum checksum(seal, "finish");
    checksum.add(run).add(ended);
    for (const std::int64_t count : {interrupted, models, batches, launches, peak_bytes}) checksum.add(count);
    for (const double value : seconds) checksum.add(value);
    return checksum.hex();
  }
  /// Also that the sum of any number of rows is a number.
  [[nodiscard]] bool is_possible() const {
    constexpr std::int64_t most = std::int64_t{1} << 40;
    return std::all_of(seconds.begin(), seconds.end(), is_time) &&
           std::min({models, batches, launches, peak_bytes}) >= 0 && std::max({models, batches, launches}) <= most;
  }
};

Finish finish_of(const Statement& row) {
  Finish finish{row.integer(0), row.text(1),    row.integer(2), row.integer(3),
                row.integer(4), row.integer(5), row.integer(6)};
  for (int i = 0; i < 6; ++i) finish.seconds[static_cast<std::size_t>(i)] = row.number(7 + i);
  return finish;
}

[[noreturn]] void fail_run(const Database& database, std::string_view table, std::int64_t id) {
  throw DataError(fmt::format("the journal {} is damaged: row {} of {}: it is not what was written",
                              database.path().string(), id, table),
                  "Delete that row, which holds no score, or move the file away and run the search anew.");
}

}  // namespace

bool is_possible(Metric metric, double score) noexcept {
  // Sums of shares may end a rounding above 1.
  constexpr double rounding = 1e-9;
  if (std::isnan(score)) return true;
  switch (metric) {
    case Metric::r2: return score <= 1 + rounding;
    case Metric::neg_log_loss:
    case Metric::neg_mean_squared_error:
    case Metric::neg_root_mean_squared_error:
    case Metric::neg_mean_absolute_error: return score <= rounding;
    default: return score >= 0 && score <= 1 + rounding;
  }
}

JobWriter::JobWriter(const Database& database, std::string_view seal, const std::vector<Metric>& metrics)
    : seal_(seal),
      metrics_(metrics),
      job_(database,
           "INSERT INTO job(candidate, fold, run, failure, fit_seconds, score_seconds, checksum) "
           "VALUES(?, ?, ?, ?, ?, ?, ?)"),
      score_(database, "INSERT INTO score(candidate, fold, metric, value) VALUES(?, ?, ?, ?)") {}

void JobWriter::add(const JobRecord& record, std::int64_t run) {
  const std::int64_t candidate = record.job.candidate;
  const std::int64_t fold = record.job.fold;
  job_.bind(0, candidate).bind(1, fold).bind(2, run).bind(3, std::string_view(record.failure));
  job_.bind(4, record.fit_seconds).bind(5, record.score_seconds);
  job_.bind(6, std::string_view(job_checksum(seal_, run, record, metrics_))).run();
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    score_.bind(0, candidate).bind(1, fold).bind(2, name_of(metrics_[m])).bind(3, record.scores[m]).run();
  }
}

std::vector<JobRecord> read_records(const Database& database, std::string_view seal, const JournalSettings& settings) {
  std::vector<JobRecord> records;
  Statement scores(database, "SELECT candidate, fold, metric, value FROM score ORDER BY candidate, fold, metric");
  Statement jobs(database,
                 "SELECT candidate, fold, run, failure, fit_seconds, score_seconds, checksum FROM job "
                 "ORDER BY candidate, fold");
  while (jobs.step()) {
    JobRecord record{job_of(database, jobs, settings), std::vector<double>(settings.metrics.size(), nan), jobs.text(3),
                     jobs.number(4), jobs.number(5)};
    if (!records.empty() && !before(records.back().job, record.job)) {
      fail_fit(database, record.job, "it is not in its place");
    }
    take_scores(database, scores, settings, record);
    if (jobs.text(6) != job_checksum(seal, jobs.integer(2), record, settings.metrics)) {
      fail_fit(database, record.job, "its checksum does not fit: it is not what was written");
    }
    if (!is_time(record.fit_seconds) || !is_time(record.score_seconds)) {
      fail_fit(database, record.job, "its times cannot be");
    }
    records.push_back(std::move(record));
  }
  if (scores.step()) fail_fit(database, job_of(database, scores, settings), "it has a score of no job");
  return records;
}

std::int64_t add_run(const Database& database, std::string_view seal, const SearchResult& result) {
  const std::string started = database.text("SELECT datetime('now')");
  const std::int64_t id = database.integer("SELECT ifnull(max(id), 0) + 1 FROM run");
  Statement row(database, "INSERT INTO run(id, started, device, device_reason, checksum) VALUES(?, ?, ?, ?, ?)");
  row.bind(0, id).bind(1, std::string_view(started)).bind(2, std::string_view(result.device));
  row.bind(3, std::string_view(result.device_reason));
  row.bind(4, std::string_view(run_checksum(seal, id, started, result.device, result.device_reason))).run();
  return id;
}

void add_finish(const Database& database, std::string_view seal, std::int64_t run, const SearchResult& result) {
  const SearchPlan& plan = result.plan;
  const SearchTiming& t = result.timing;
  const Finish finish{run,
                      database.text("SELECT datetime('now')"),
                      result.interrupted ? 1 : 0,
                      plan.models,
                      plan.batches,
                      plan.launches,
                      static_cast<std::int64_t>(plan.peak_bytes),
                      {t.startup, t.upload, t.compute, t.scoring, t.refit, t.wall}};
  Statement row(database,
                "INSERT INTO finish(run, ended, interrupted, models, batches, launches, peak_bytes, startup, upload, "
                "compute, scoring, refit, wall, checksum) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  row.bind(0, finish.run).bind(1, std::string_view(finish.ended)).bind(2, finish.interrupted);
  row.bind(3, finish.models).bind(4, finish.batches).bind(5, finish.launches).bind(6, finish.peak_bytes);
  for (int i = 0; i < 6; ++i) row.bind(7 + i, finish.seconds[static_cast<std::size_t>(i)]);
  row.bind(13, std::string_view(finish.checksum(seal))).run();
}

void read_runs(const Database& database, std::string_view seal, SearchResult& result) {
  Statement runs(database, "SELECT id, started, device, device_reason, checksum FROM run ORDER BY id");
  while (runs.step()) {
    result.device = runs.text(2);
    result.device_reason = runs.text(3);
    const std::string expected = run_checksum(seal, runs.integer(0), runs.text(1), result.device, result.device_reason);
    if (runs.text(4) != expected) fail_run(database, "run", runs.integer(0));
  }
  std::array<double, 6> seconds{};
  // Formats differ in the name of a column alone, and check_journal() knows the table's text.
  Statement rows(database, "SELECT * FROM finish ORDER BY run");
  while (rows.step()) {
    const Finish finish = finish_of(rows);
    if (rows.text(13) != finish.checksum(seal) || !finish.is_possible()) fail_run(database, "finish", finish.run);
    SearchPlan& plan = result.plan;
    plan.models += finish.models;
    plan.batches += finish.batches;
    plan.launches += finish.launches;
    plan.peak_bytes = std::max(plan.peak_bytes, static_cast<std::uint64_t>(finish.peak_bytes));
    for (std::size_t i = 0; i < seconds.size(); ++i)
      seconds[i] += std::isnan(finish.seconds[i]) ? 0 : finish.seconds[i];
  }
  result.timing = {seconds[0], seconds[1], seconds[2], seconds[3], seconds[4], seconds[5]};
}

}  // namespace overtake::search_detail
