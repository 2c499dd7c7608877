// SPDX-License-Identifier: MIT
// A journal as a result, for people who want to see how far a search is.
#include <fmt/format.h>

#include <limits>

#include "overtake/error.hpp"
#include "search/journal_format.hpp"
#include "search/parameters_json.hpp"

namespace overtake {

namespace search_detail {

namespace {

std::vector<Metric> read_metrics(const Database& database) {
  std::vector<Metric> metrics;
  const std::string list = about(database, "metrics");
  try {
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      metrics.push_back(parse_metric(std::string_view(list).substr(begin, end - begin)));
      begin = end + 1;
    }
  } catch (const UsageError&) {
    fail_damaged(database, fmt::format("its metrics are \"{}\"", list));
  }
  return metrics;
}

std::vector<std::string> read_positive(const Database& database, const std::vector<Metric>& metrics) {
  std::vector<std::string> classes(metrics.size());
  Statement statement(database, "SELECT metric, class FROM positive");
  while (statement.step()) {
    const std::string name = statement.text(0);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      if (name_of(metrics[m]) == name) classes[m] = statement.text(1);
    }
  }
  return classes;
}

std::vector<Parameters> read_candidates(const Database& database) {
  std::vector<Parameters> candidates;
  Statement statement(database, "SELECT id, parameters FROM candidate ORDER BY id");
  while (statement.step()) {
    if (statement.whole(0) != static_cast<std::int64_t>(candidates.size())) {
      fail_damaged(database, fmt::format("candidate {} is missing", candidates.size()));
    }
    try {
      candidates.push_back(parse_parameters_json(statement.text(1)));
    } catch (const DataError& error) {
      fail_damaged(database, error.what());
    }
  }
  if (static_cast<std::int64_t>(candidates.size()) != about_number(database, "candidates")) {
    fail_damaged(database, "candidates are missing");
  }
  return candidates;
}

/// Times and counts of all runs together; the device of the last.
void read_runs(const Database& database, SearchResult& result) {
  Statement run(database, "SELECT device, device_reason FROM run ORDER BY id DESC LIMIT 1");
  if (run.step()) {
    result.device = run.text(0);
    result.device_reason = run.text(1);
  }
  Statement all(database,
                "SELECT sum(forests), sum(batches), sum(launches), max(peak_bytes), sum(startup), sum(upload), "
                "sum(compute), sum(scoring), sum(refit), sum(wall), count(*) FROM finish");
  if (!all.step() || all.whole(10) == 0) return;
  result.plan.forests = all.whole(0);
  result.plan.batches = all.whole(1);
  result.plan.launches = all.whole(2);
  result.plan.peak_bytes = static_cast<std::uint64_t>(all.whole(3));
  result.timing = {all.number(4), all.number(5), all.number(6), all.number(7), all.number(8), all.number(9)};
}

SearchResult read_result(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw DataError(fmt::format("there is no journal {}", path.string()), "Give the file that a search wrote.");
  }
  const Database database(path, Database::Mode::read);
  database.execute("BEGIN");  // everything below is of one moment, whatever is written meanwhile
  if (check_journal(database) == JournalState::empty) {
    throw DataError(fmt::format("the journal {} holds no search yet", path.string()),
                    "Its search may have started just now; try again.");
  }
  SearchResult result;
  result.task = about(database, "task") == "regression" ? Task::regression : Task::classification;
  result.estimator = about(database, "estimator");
  result.metrics = read_metrics(database);
  result.positive_classes = read_positive(database, result.metrics);
  const std::string refit = about(database, "refit_metric");
  for (std::size_t m = 0; m < result.metrics.size(); ++m) {
    if (name_of(result.metrics[m]) == refit) result.refit_metric = m;
  }
  const std::vector<Parameters> candidates = read_candidates(database);
  const std::int64_t folds = about_number(database, "folds");
  ScoreTable table(result, candidates, static_cast<int>(folds));
  for (const JobRecord& record :
       read_records(database, result.metrics, candidates.size(), static_cast<std::size_t>(folds))) {
    table.add(record);
  }
  table.summarise();
  result.plan.candidates = static_cast<std::int64_t>(candidates.size());
  result.plan.folds = folds;
  result.plan.jobs = result.plan.candidates * folds;
  result.interrupted = table.jobs_done() < result.plan.jobs;
  result.resumed_jobs = table.jobs_done();
  read_runs(database, result);
  return result;
}

}  // namespace

}  // namespace search_detail

SearchResult read_journal(const std::filesystem::path& path) { return search_detail::read_result(path); }

}  // namespace overtake
