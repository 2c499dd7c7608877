// SPDX-License-Identifier: MIT
#include "search/journal_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "overtake/error.hpp"

namespace overtake::search_detail {

JournalState check_journal(const Database& database) {
  const std::int64_t application = database.whole("PRAGMA application_id");
  const std::int64_t schema = database.whole("PRAGMA user_version");
  const std::int64_t tables = database.whole("SELECT count(*) FROM sqlite_schema");
  // A process that was killed before its first transaction leaves an empty database.
  if (tables == 0 && application == 0) return JournalState::empty;
  if (application != journal_application_id) {
    throw DataError(
        fmt::format("{} is no journal of Overtake: it is another program's database", database.path().string()),
        "Give the name of a journal, or of a file that does not exist yet.");
  }
  if (schema != journal_schema) {
    throw DataError(
        fmt::format("the journal {} has the format {}, expected {}", database.path().string(), schema, journal_schema),
        schema < journal_schema
            ? "An older version of Overtake wrote it; read it with that one, or give another journal."
            : "A newer version of Overtake wrote it; use that one, or give another journal.");
  }
  return JournalState::filled;
}

void fail_damaged(const Database& database, std::string_view what) {
  throw DataError(fmt::format("the journal {} is damaged: {}", database.path().string(), what),
                  "Move it away and run the search anew.");
}

std::string about(const Database& database, std::string_view key) {
  Statement statement(database, "SELECT value FROM about WHERE key = ?");
  statement.bind(0, key);
  if (!statement.step()) fail_damaged(database, fmt::format("it does not say its {}", key));
  return statement.text(0);
}

std::int64_t about_number(const Database& database, std::string_view key) {
  const std::string text = about(database, key);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 ||
      value > std::numeric_limits<std::int32_t>::max()) {
    fail_damaged(database, fmt::format("its {} is \"{}\"", key, text));
  }
  return value;
}

std::vector<JobRecord> read_records(const Database& database, const std::vector<Metric>& metrics,
                                    std::size_t candidates, std::size_t folds) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<JobRecord> records;
  std::vector<std::size_t> index(candidates * folds, std::numeric_limits<std::size_t>::max());
  const auto place = [&](const Statement& row) -> std::size_t& {
    const std::int64_t candidate = row.whole(0);
    const std::int64_t fold = row.whole(1);
    if (candidate < 0 || fold < 0 || candidate >= static_cast<std::int64_t>(candidates) ||
        fold >= static_cast<std::int64_t>(folds)) {
      fail_damaged(database, fmt::format("it has a score of candidate {}, fold {}", candidate, fold));
    }
    return index[static_cast<std::size_t>(candidate) * folds + static_cast<std::size_t>(fold)];
  };
  Statement jobs(database,
                 "SELECT candidate, fold, failure, fit_seconds, score_seconds FROM job ORDER BY candidate, fold");
  while (jobs.step()) {
    place(jobs) = records.size();
    const Job job{static_cast<std::int32_t>(jobs.whole(0)), static_cast<std::int32_t>(jobs.whole(1))};
    records.push_back({job, std::vector<double>(metrics.size(), nan), jobs.text(2), jobs.number(3), jobs.number(4)});
  }
  std::vector<std::string_view> names;
  names.reserve(metrics.size());
  for (const Metric metric : metrics) names.push_back(name_of(metric));
  Statement scores(database, "SELECT candidate, fold, metric, value FROM score");
  std::size_t found = 0;
  while (scores.step()) {
    const std::size_t record = place(scores);
    const auto name = std::find(names.begin(), names.end(), scores.text(2));
    if (record >= records.size() || name == names.end()) fail_damaged(database, "it has a score of no job");
    records[record].scores[static_cast<std::size_t>(name - names.begin())] = scores.number(3);
    ++found;
  }
  if (found != records.size() * metrics.size()) fail_damaged(database, "scores are missing");
  return records;
}

}  // namespace overtake::search_detail
