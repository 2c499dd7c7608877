// SPDX-License-Identifier: MIT
// A journal as a result, for people who want to see how far a search is.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "overtake/error.hpp"
#include "search/journal/database.hpp"
#include "search/journal/journal.hpp"
#include "search/journal/journal_format.hpp"
#include "search/journal/journal_rows.hpp"
#include "search/journal/parameters_json.hpp"

namespace overtake {

namespace search_detail {

namespace {

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

/// Throws DataError for a parameter that this version does not know, and for one that comes twice.
void check_names(const Database& database, std::span<const std::string> known, const Parameters& parameters,
                 std::size_t candidate) {
  for (const auto& [name, value] : parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw DataError(
        fmt::format("the journal {} has the parameter {:.100}, which this version of Overtake does not know",
                    database.path().string(), name),
        "A newer version of Overtake wrote it; use that one, or give another journal.");
  }
  if (const std::string* name = repeated_name(parameters)) {
    fail_damaged(database, fmt::format("candidate {} has {} twice", candidate, *name));
  }
}

std::vector<Parameters> read_candidates(const Database& database, const JournalSettings& settings) {
  const std::span<const std::string> known = find_estimator(settings.estimator)->parameter_names();
  std::vector<Parameters> candidates;
  Statement statement(database, "SELECT id, parameters FROM candidate ORDER BY id");
  while (statement.step()) {
    const std::size_t id = candidates.size();
    if (statement.integer(0) != static_cast<std::int64_t>(id)) {
      fail_damaged(database, fmt::format("candidate {} is missing", id));
    }
    if (statement.integer(0) >= settings.candidates) fail_damaged(database, "it has more candidates than it says");
    try {
      candidates.push_back(parse_parameters_json(statement.text(1)));
    } catch (const DataError& error) {
      fail_damaged(database, fmt::format("candidate {}: {:.200}", id, error.what()));
    }
    check_names(database, known, candidates.back(), id);
  }
  if (static_cast<std::int64_t>(candidates.size()) != settings.candidates) {
    fail_damaged(database, "candidates are missing");
  }
  return candidates;
}

}  // namespace

SearchResult read_result(const std::filesystem::path& path, FileSystemProbe probe) {
  const JournalPlace place = look_at_journal(path, probe);
  if (!place.exists) {
    throw DataError(fmt::format("there is no journal {}", path.string()), "Give the file that a search wrote.");
  }
  Database database(path, place.read_mode);
  database.limit_work();
  database.execute("BEGIN");  // everything below is of one moment, whatever is written meanwhile
  if (check_journal(database) == JournalState::empty) {
    throw DataError(fmt::format("the journal {} holds no search yet", path.string()),
                    "Its search may have started just now; try again.");
  }
  check_pages(database);
  const std::string seal = checked_seal(database);
  const JournalSettings settings = read_settings(database);
  SearchResult result;
  result.task = settings.task == "regression" ? Task::regression : Task::classification;
  result.estimator = settings.estimator;
  result.metrics = settings.metrics;
  result.positive_classes = read_positive(database, result.metrics);
  const auto refit = std::find_if(result.metrics.begin(), result.metrics.end(),
                                  [&](Metric metric) { return name_of(metric) == settings.refit_metric; });
  if (refit == result.metrics.end()) {
    fail_damaged(database, fmt::format("it did not score its refit_metric {:.100}", settings.refit_metric));
  }
  result.refit_metric = static_cast<std::size_t>(refit - result.metrics.begin());
  const std::vector<Parameters> candidates = read_candidates(database, settings);
  ScoreTable table(result, candidates, static_cast<int>(settings.folds));
  for (const JobRecord& record : read_records(database, seal, settings)) table.add(record);
  table.summarise();
  result.plan.candidates = settings.candidates;
  result.plan.folds = settings.folds;
  result.plan.jobs = result.plan.candidates * settings.folds;
  result.interrupted = table.jobs_done() < result.plan.jobs;
  result.resumed_jobs = table.jobs_done();
  read_runs(database, seal, result);
  return result;
}

}  // namespace search_detail

SearchResult read_journal(const std::filesystem::path& path) { return search_detail::read_result(path); }

}  // namespace overtake
