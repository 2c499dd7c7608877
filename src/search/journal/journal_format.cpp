// SPDX-License-Identifier: MIT
#include "search/journal/journal_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "overtake/error.hpp"
#include "search/estimator.hpp"
#include "search/journal/database.hpp"

namespace overtake::search_detail {

namespace {

struct TableText {
  std::string_view name;
  const char* sql;
};

/// A journal has these, letter for letter, and nothing else. Without UNIQUE beside a primary key, which would be an
/// index of its own.
constexpr std::array<TableText, 8> tables = {{
    {"identity", "CREATE TABLE identity(position INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL)"},
    {"about", "CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"},
    {"candidate", "CREATE TABLE candidate(id INTEGER PRIMARY KEY, parameters TEXT NOT NULL)"},
    {"job",
     "CREATE TABLE job(candidate INTEGER NOT NULL, fold INTEGER NOT NULL, run INTEGER NOT NULL, "
     "failure TEXT NOT NULL, fit_seconds REAL, score_seconds REAL, checksum TEXT NOT NULL, "
     "PRIMARY KEY(candidate, fold)) WITHOUT ROWID"},
    {"score",
     "CREATE TABLE score(candidate INTEGER NOT NULL, fold INTEGER NOT NULL, metric TEXT NOT NULL, value REAL, "
     "PRIMARY KEY(candidate, fold, metric)) WITHOUT ROWID"},
    {"positive", "CREATE TABLE positive(metric TEXT PRIMARY KEY, class TEXT NOT NULL) WITHOUT ROWID"},
    {"run",
     "CREATE TABLE run(id INTEGER PRIMARY KEY, started TEXT NOT NULL, device TEXT NOT NULL, "
     "device_reason TEXT NOT NULL, checksum TEXT NOT NULL)"},
    {"finish",
     "CREATE TABLE finish(run INTEGER PRIMARY KEY, ended TEXT NOT NULL, interrupted INTEGER NOT NULL, "
     "models INTEGER NOT NULL, batches INTEGER NOT NULL, launches INTEGER NOT NULL, peak_bytes INTEGER NOT NULL, "
     "startup REAL, upload REAL, compute REAL, scoring REAL, refit REAL, wall REAL, checksum TEXT NOT NULL)"},
}};

/// The text of a table as that format has it.
std::string text_of(const TableText& table, std::int64_t schema) {
  std::string text = table.sql;
  if (schema == 3 && table.name == "finish") {
    constexpr std::string_view models = "models INTEGER";
    text.replace(text.find(models), models.size(), "forests INTEGER");
  }
  return text;
}

void check_tables(const Database& database, std::int64_t schema) {
  Statement rows(database, "SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema");
  std::size_t found = 0;
  while (rows.step()) {
    const std::string name = rows.text(1);
    const auto* ours =
        std::find_if(tables.begin(), tables.end(), [&](const TableText& table) { return table.name == name; });
    if (ours == tables.end() || rows.text(0) != "table" || rows.text(2) != name ||
        rows.text(3) != text_of(*ours, schema)) {
      fail_damaged(database, fmt::format("it has a {:.20} {:.100} that Overtake did not make", rows.text(0), name));
    }
    ++found;
  }
  if (found != tables.size()) fail_damaged(database, "tables are missing");
}

using Settings = std::map<std::string, std::string, std::less<>>;

std::int64_t integer_setting(const Database& database, const Settings& settings, std::string_view key,
                             std::int64_t most) {
  const std::string& text = settings.at(std::string(key));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most) {
    fail_damaged(database, fmt::format("its {} is \"{:.100}\"", key, text));
  }
  return value;
}

[[noreturn]] void fail_unknown(const Database& database, std::string_view what, std::string_view name) {
  throw DataError(fmt::format("the journal {} has the {} {:.100}, which this version of Overtake does not know",
                              database.path().string(), what, name),
                  "A newer version of Overtake wrote it; use that one, or give another journal.");
}

std::vector<Metric> metrics_of(const Database& database, const std::string& list, Task task) {
  std::vector<Metric> metrics;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    const auto all = all_metrics();
    const auto metric = std::find_if(all.begin(), all.end(), [&](Metric m) { return name_of(m) == name; });
    if (metric == all.end()) fail_unknown(database, "metric", name);
    if (!is_for(*metric, task) || std::find(metrics.begin(), metrics.end(), *metric) != metrics.end()) {
      fail_damaged(database, fmt::format("its metrics are \"{:.200}\"", list));
    }
    metrics.push_back(*metric);
    begin = end + 1;
  }
  return metrics;
}

/// What stands in `about`, with the defaults of what may be missing there.
Settings settings_of(const Database& database) {
  Settings settings = {{"data_name", ""}, {"refit_metric", ""}, {"version", ""}};
  constexpr std::array<std::string_view, 5> needed = {"candidates", "estimator", "folds", "metrics", "task"};
  Statement rows(database, "SELECT key, value FROM about ORDER BY key");
  while (rows.step()) {
    const std::string key = rows.text(0);
    if (key == "checksum") continue;
    if (settings.find(key) == settings.end() && std::find(needed.begin(), needed.end(), key) == needed.end()) {
      fail_unknown(database, "setting", key);
    }
    settings.insert_or_assign(key, rows.text(1));
  }
  for (const std::string_view key : needed) {
    if (settings.find(key) == settings.end()) fail_damaged(database, fmt::format("it does not say its {}", key));
  }
  return settings;
}

}  // namespace

void make_tables(const Database& database) {
  for (const TableText& table : tables) database.execute(table.sql);
  database.execute(fmt::format("PRAGMA application_id={}", journal_application_id).c_str());
  database.execute(fmt::format("PRAGMA user_version={}", journal_schema).c_str());
}

void migrate(const Database& database) {
  if (database.integer("PRAGMA user_version") == journal_schema) return;
  database.execute("ALTER TABLE finish RENAME COLUMN forests TO models");
  database.execute(fmt::format("PRAGMA user_version={}", journal_schema).c_str());
}

JournalState check_journal(const Database& database) {
  const std::int64_t application = database.integer("PRAGMA application_id");
  const std::int64_t schema = database.integer("PRAGMA user_version");
  // A process that was killed before its first transaction leaves an empty database.
  if (application == 0 && database.integer("SELECT EXISTS(SELECT 1 FROM sqlite_schema)") == 0)
    return JournalState::empty;
  if (application != journal_application_id) {
    throw DataError(
        fmt::format("{} is no journal of Overtake: it is another program's database", database.path().string()),
        "Give the name of a journal, or of a file that does not exist yet.");
  }
  if (schema < oldest_journal_schema || schema > journal_schema) {
    throw DataError(fmt::format("the journal {} has the format {}, expected {} to {}", database.path().string(), schema,
                                oldest_journal_schema, journal_schema),
                    schema < journal_schema
                        ? "An older version of Overtake wrote it; read it with that one, or give another journal."
                        : "A newer version of Overtake wrote it; use that one, or give another journal.");
  }
  check_tables(database, schema);
  return JournalState::filled;
}

void check_pages(const Database& database) {
  const std::string problem = database.text("PRAGMA quick_check(1)");
  if (problem != "ok") fail_damaged(database, problem);
}

JournalSettings read_settings(const Database& database) {
  const Settings settings = settings_of(database);
  JournalSettings result;
  result.task = settings.at("task");
  if (result.task != "classification" && result.task != "regression") fail_unknown(database, "task", result.task);
  result.estimator = settings.at("estimator");
  if (find_estimator(result.estimator) == nullptr) fail_unknown(database, "estimator", result.estimator);
  result.metrics = metrics_of(database, settings.at("metrics"),
                              result.task == "regression" ? Task::regression : Task::classification);
  result.refit_metric = settings.at("refit_metric");
  if (result.refit_metric.empty()) result.refit_metric = name_of(result.metrics.front());
  result.candidates = integer_setting(database, settings, "candidates", most_journal_candidates);
  const std::int64_t a_fold = result.candidates * static_cast<std::int64_t>(result.metrics.size());
  result.folds = integer_setting(database, settings, "folds", most_journal_scores / a_fold);
  return result;
}

std::string seal_of(const Database& database) {
  detail::Fingerprint fingerprint;
  for (const auto& [table, sql] : {std::pair{"identity", "SELECT key, value FROM identity ORDER BY position"},
                                   {"about", "SELECT key, value FROM about WHERE key <> 'checksum' ORDER BY key"},
                                   {"positive", "SELECT metric, class FROM positive ORDER BY metric"},
                                   {"candidate", "SELECT cast(id AS TEXT), parameters FROM candidate ORDER BY id"}}) {
    fingerprint.add(table);
    Statement rows(database, sql);
    while (rows.step()) {
      fingerprint.add(rows.text(0));
      fingerprint.add(rows.text(1));
    }
  }
  return fingerprint.hex();
}

std::string checked_seal(const Database& database) {
  const std::string written = database.text("SELECT value FROM about WHERE key = 'checksum'");
  std::string seal = seal_of(database);
  if (written != seal) {
    fail_damaged(database, "the checksum of its settings and candidates (row \"checksum\" of about) does not fit them");
  }
  return seal;
}

RowChecksum::RowChecksum(std::string_view seal, std::string_view table) {
  fingerprint_.add(seal);
  fingerprint_.add(table);
}

RowChecksum& RowChecksum::add(std::int64_t value) {
  fingerprint_.add_values(std::span<const std::int64_t>(&value, 1));
  return *this;
}

// SQLite knows neither NaN, which it keeps as NULL, nor the sign of zero.
RowChecksum& RowChecksum::add(double value) {
  if (std::isnan(value)) return add(std::string_view("null"));
  const double kept = value == 0 ? 0.0 : value;
  fingerprint_.add_values(std::span<const double>(&kept, 1));
  return *this;
}

RowChecksum& RowChecksum::add(std::string_view text) {
  fingerprint_.add(text);
  return *this;
}

}  // namespace overtake::search_detail
