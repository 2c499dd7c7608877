// SPDX-License-Identifier: MIT
#include "search/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "overtake/error.hpp"
#include "overtake/version.hpp"
#include "search/journal_format.hpp"
#include "search/parameters_json.hpp"

namespace overtake::search_detail {

namespace {

namespace fs = std::filesystem;

constexpr const char* tables = R"sql(
CREATE TABLE identity(position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE candidate(id INTEGER PRIMARY KEY, parameters TEXT NOT NULL);
CREATE TABLE job(candidate INTEGER NOT NULL, fold INTEGER NOT NULL, run INTEGER NOT NULL, failure TEXT NOT NULL,
                 fit_seconds REAL, score_seconds REAL, PRIMARY KEY(candidate, fold)) WITHOUT ROWID;
CREATE TABLE score(candidate INTEGER NOT NULL, fold INTEGER NOT NULL, metric TEXT NOT NULL, value REAL,
                   PRIMARY KEY(candidate, fold, metric)) WITHOUT ROWID;
CREATE TABLE positive(metric TEXT PRIMARY KEY, class TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE run(id INTEGER PRIMARY KEY, started TEXT NOT NULL, device TEXT NOT NULL, device_reason TEXT NOT NULL);
CREATE TABLE finish(run INTEGER PRIMARY KEY, ended TEXT NOT NULL, interrupted INTEGER NOT NULL, forests INTEGER NOT NULL,
                    batches INTEGER NOT NULL, launches INTEGER NOT NULL, peak_bytes INTEGER NOT NULL, startup REAL,
                    upload REAL, compute REAL, scoring REAL, refit REAL, wall REAL);
)sql";

[[noreturn]] void fail_writing(const fs::path& path, int number) {
  throw DataError(
      fmt::format("cannot write the journal {}: {}", path.string(), std::generic_category().message(number)),
      "Check that the folder exists and that you may write there.");
}

/// SQLite would take a short text file for a database without content, and overwrite it.
void check_magic(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw DataError(fmt::format("cannot write the journal {}: it is a folder", path.string()), "Give a file name.");
  }
  std::ifstream file(path, std::ios::binary);
  std::string head(16, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.empty() || head == std::string("SQLite format 3\0", 16)) return;
  throw DataError(fmt::format("{} is no journal of Overtake: it is no SQLite database", path.string()),
                  "Give the name of a journal, or of a file that does not exist yet.");
}

fs::path checked(const fs::path& path) {
  if (path.empty()) throw UsageError("the journal has no name");
  check_magic(path);
  return path;
}

/// Two names of one file have one lock.
fs::path lock_path(const fs::path& journal) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(journal, ignored);
  return (resolved.empty() ? journal : resolved).string() + "-lock";
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

// A lock file of its own, because SQLite's locks on the database come and go with each transaction, and are lost when
// the process closes any other descriptor of that file. The system drops flock() with the process, however it ends.
WriterLock::WriterLock(const fs::path& journal) : path_(lock_path(journal)) {
  while (true) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail_writing(journal, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int number = errno;
      ::close(descriptor_);
      descriptor_ = -1;
      if (number != EWOULDBLOCK) fail_writing(journal, number);
      throw DataError(fmt::format("the journal {} is in use: another search writes it", journal.string()),
                      "Wait until it has ended, or give another journal; reading it is possible at any time.");
    }
    // The writer before may have removed the file between our open and our lock; then this lock guards nothing.
    struct stat mine {};
    struct stat named {};
    if (::fstat(descriptor_, &mine) == 0 && ::stat(path_.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
        mine.st_dev == named.st_dev) {
      return;
    }
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

WriterLock::~WriterLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

Journal::Journal(const fs::path& path, const SearchInput& input, const SearchResult& result)
    : lock_(checked(path)), database_(path, Database::Mode::write), metrics_(result.metrics) {
  const JournalState state = check_journal(database_);
  const Identity identity = identity_of(input, result);
  if (state == JournalState::filled) {
    const std::string problem = database_.text("PRAGMA quick_check(1)");
    if (problem != "ok") fail_damaged(database_, problem);
    if (const auto other = difference(read_identity(database_), identity)) {
      throw DataError(fmt::format("the journal {} {}", path.string(), *other),
                      "Run the search that it belongs to, or give another journal.");
    }
    records_ = read_records(database_, metrics_, input.candidates.size(), input.folds.size());
  }
  // WAL: readers see the last batch and never wait for the writer, nor it for them. FULL: a batch may be hours of work,
  // and one fsync for each is little beside it; with NORMAL a power cut could take back all batches since the last
  // checkpoint.
  database_.execute("PRAGMA journal_mode=WAL");
  database_.execute("PRAGMA synchronous=FULL");
  if (state == JournalState::empty) create(identity, input, result);
  begin_run(result);
}

void Journal::create(const Identity& identity, const SearchInput& input, const SearchResult& result) {
  in_transaction(database_, [&] {
    database_.execute(tables);
    database_.execute(fmt::format("PRAGMA application_id={}", journal_application_id).c_str());
    database_.execute(fmt::format("PRAGMA user_version={}", journal_schema).c_str());
    Statement row(database_, "INSERT INTO identity(key, value) VALUES(?, ?)");
    for (const auto& [key, value] : identity) row.bind(0, std::string_view(key)).bind(1, std::string_view(value)).run();
    Statement about(database_, "INSERT INTO about(key, value) VALUES(?, ?)");
    const auto note = [&](std::string_view key, std::string_view value) { about.bind(0, key).bind(1, value).run(); };
    note("version", version());
    note("data_name", input.options.data_name);
    note("task", result.task == Task::classification ? "classification" : "regression");
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
  });
}

void Journal::begin_run(const SearchResult& result) {
  in_transaction(database_, [&] {
    Statement run(database_, "INSERT INTO run(started, device, device_reason) VALUES(datetime('now'), ?, ?)");
    run.bind(0, std::string_view(result.device)).bind(1, std::string_view(result.device_reason)).run();
    run_ = database_.whole("SELECT max(id) FROM run");
  });
}

void Journal::append(std::span<const JobRecord> records) {
  in_transaction(database_, [&] {
    Statement job(
        database_,
        "INSERT INTO job(candidate, fold, run, failure, fit_seconds, score_seconds) VALUES(?, ?, ?, ?, ?, ?)");
    Statement score(database_, "INSERT INTO score(candidate, fold, metric, value) VALUES(?, ?, ?, ?)");
    for (const JobRecord& record : records) {
      const std::int64_t candidate = record.job.candidate;
      const std::int64_t fold = record.job.fold;
      job.bind(0, candidate).bind(1, fold).bind(2, run_).bind(3, std::string_view(record.failure));
      job.bind(4, record.fit_seconds).bind(5, record.score_seconds).run();
      for (std::size_t m = 0; m < metrics_.size(); ++m) {
        score.bind(0, candidate).bind(1, fold).bind(2, name_of(metrics_[m])).bind(3, record.scores[m]).run();
      }
    }
  });
}

void Journal::finish(const SearchResult& result) {
  const SearchPlan& plan = result.plan;
  const SearchTiming& timing = result.timing;
  in_transaction(database_, [&] {
    Statement row(
        database_,
        "INSERT INTO finish(run, ended, interrupted, forests, batches, launches, peak_bytes, startup, upload, "
        "compute, scoring, refit, wall) VALUES(?, datetime('now'), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row.bind(0, run_).bind(1, std::int64_t{result.interrupted ? 1 : 0}).bind(2, plan.forests).bind(3, plan.batches);
    row.bind(4, plan.launches).bind(5, static_cast<std::int64_t>(plan.peak_bytes)).bind(6, timing.startup);
    row.bind(7, timing.upload).bind(8, timing.compute).bind(9, timing.scoring).bind(10, timing.refit);
    row.bind(11, timing.wall).run();
  });
}

}  // namespace overtake::search_detail
