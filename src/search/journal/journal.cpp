// SPDX-License-Identifier: MIT
#include "search/journal/journal.hpp"

#include <fmt/format.h>

#include "overtake/error.hpp"
#include "overtake/version.hpp"
#include "search/journal/database.hpp"
#include "search/journal/journal_format.hpp"
#include "search/journal/journal_rows.hpp"
#include "search/journal/parameters_json.hpp"

namespace overtake::search_detail {

namespace {

namespace fs = std::filesystem;

/// A table of more scores would be refused when it is read.
JournalPlace checked_place(const fs::path& path, const SearchInput& input, std::size_t metrics, FileSystemProbe probe) {
  const std::size_t scores = input.candidates.size() * input.folds.size() * metrics;
  if (input.candidates.size() > static_cast<std::size_t>(most_journal_candidates) ||
      scores > static_cast<std::size_t>(most_journal_scores)) {
    throw UsageError(fmt::format("a search of {} candidates with {} scores is too large for a journal, which holds up "
                                 "to {} candidates and {} scores",
                                 input.candidates.size(), scores, most_journal_candidates, most_journal_scores),
                     "Try fewer candidates, folds or metrics at once, or search without a journal.");
  }
  return look_at_journal(path, probe);
}

Identity read_identity(const Database& database) {
  Identity rows;
  Statement statement(database, "SELECT key, value FROM identity ORDER BY position");
  while (statement.step()) rows.push_back({statement.text(0), statement.text(1)});
  return rows;
}

/// All or nothing: a failure in between takes back what was written.
template <typename Action>
void in_transaction(const Database& database, Action action) {
  database.execute("BEGIN IMMEDIATE");
  try {
    action();
    database.execute("COMMIT");
  } catch (...) {
    database.roll_back();
    throw;
  }
}

}  // namespace

Journal::Journal(const fs::path& path, const SearchInput& input, const SearchResult& result, FileSystemProbe probe)
    : place_(checked_place(path, input, result.metrics.size(), probe)),
      lock_(path),
      made_(path),
      database_(path, Database::Mode::write),
      metrics_(result.metrics) {
  // Without shared memory, should the file have a write-ahead log from its time on a local disk.
  if (!place_.shared.empty()) database_.execute("PRAGMA locking_mode=EXCLUSIVE");
  database_.limit_work();
  const JournalState state = check_journal(database_);
  const Identity identity = identity_of(input, result);
  if (state == JournalState::filled) take(identity, input);
  database_.free_work();
  choose_mode();
  in_transaction(database_, [&] {
    if (state == JournalState::empty) create(identity, input, result);
    migrate(database_);
    run_ = add_run(database_, seal_, result);
  });
  made_.keep();
}

void Journal::take(const Identity& identity, const SearchInput& input) {
  check_pages(database_);
  seal_ = checked_seal(database_);
  const JournalSettings settings = read_settings(database_);
  if (const auto other = difference(read_identity(database_), identity)) {
    throw DataError(fmt::format("the journal {} {}", database_.path().string(), *other),
                    "Run the search that it belongs to, or give another journal.");
  }
  if (settings.metrics != metrics_ || settings.candidates != static_cast<std::int64_t>(input.candidates.size()) ||
      settings.folds != static_cast<std::int64_t>(input.folds.size())) {
    fail_damaged(database_, "its settings contradict each other");
  }
  records_ = read_records(database_, seal_, settings);
  SearchResult unused;
  read_runs(database_, seal_, unused);  // checks them
}

// WAL: readers see the last batch and never wait for the writer, nor it for them. On a shared file system the log would
// be read wrongly; with a rollback journal, and SQLite's locks for each transaction, all is safe there, and readers and
// the writer wait for each other. FULL: a batch may be hours of work, and one fsync for each is little beside it; with
// NORMAL a power cut could take back all batches since the last checkpoint.
void Journal::choose_mode() {
  const bool shared = !place_.shared.empty();
  // Waits for readers as every statement does (Database's patience).
  database_.execute(shared ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL");
  database_.execute("PRAGMA synchronous=FULL");
  // Locks are let go at the next access.
  if (shared) database_.execute("PRAGMA locking_mode=NORMAL; SELECT 1 FROM sqlite_schema LIMIT 1");
}

std::string Journal::note() const {
  if (place_.shared.empty()) return {};
  return fmt::format(
      "the journal lies on a file system that computers may share ({}): it is kept without a write-ahead log, so that "
      "a search and those who look at it wait for each other for a moment; a local disk is faster",
      place_.shared);
}

void Journal::create(const Identity& identity, const SearchInput& input, const SearchResult& result) {
  make_tables(database_);
  Statement row(database_, "INSERT INTO identity(key, value) VALUES(?, ?)");
  for (const auto& [key, value] : identity) row.bind(0, std::string_view(key)).bind(1, std::string_view(value)).run();
  Statement about(database_, "INSERT INTO about(key, value) VALUES(?, ?)");
  const auto note = [&](std::string_view key, std::string_view value) { about.bind(0, key).bind(1, value).run(); };
  note("version", version());
  note("data_name", input.options.data_name);
  note("task", std::string(name_of(result.task)));
  note("estimator", result.estimator);
  note("candidates", fmt::format("{}", input.candidates.size()));
  note("folds", fmt::format("{}", input.folds.size()));
  std::string metrics;
  for (const Metric metric : metrics_) metrics += (metrics.empty() ? "" : ",") + std::string(name_of(metric));
  note("metrics", metrics);
  note("refit_metric", name_of(metrics_[result.refit_metric]));
  Statement positive(database_, "INSERT INTO positive(metric, class) VALUES(?, ?)");
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    if (result.positive_classes[m].empty()) continue;
    positive.bind(0, name_of(metrics_[m])).bind(1, std::string_view(result.positive_classes[m])).run();
  }
  Statement candidate(database_, "INSERT INTO candidate(id, parameters) VALUES(?, ?)");
  for (std::size_t c = 0; c < input.candidates.size(); ++c) {
    candidate.bind(0, static_cast<std::int64_t>(c)).bind(1, std::string_view(parameters_json(input.candidates[c])));
    candidate.run();
  }
  seal_ = seal_of(database_);
  note("checksum", seal_);
}

void Journal::append(std::span<const JobRecord> records) {
  in_transaction(database_, [&] {
    JobWriter jobs(database_, seal_, metrics_);
    for (const JobRecord& record : records) jobs.add(record, run_);
  });
}

void Journal::finish(const SearchResult& result) {
  in_transaction(database_, [&] { add_finish(database_, seal_, run_, result); });
}

}  // namespace overtake::search_detail
