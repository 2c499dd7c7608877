// SPDX-License-Identifier: MIT
// What the writer and the readers of a journal share: its tables, its settings, and the checksums that say whether a
// row is still what was written. docs/journals.md describes the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/fingerprint.hpp"
#include "overtake/metrics.hpp"
#include "search/journal/database.hpp"

namespace overtake::search_detail {

/// Marks the file as a journal of Overtake ("OVTJ"; SQLite's application_id).
inline constexpr std::int32_t journal_application_id = 0x4F56'544A;
/// Of the tables and checksums. 2: targets in double, positive classes. 3: checksums, and journals outlive the version
/// that wrote them. 4: models, whatever they are, where forests were.
inline constexpr int journal_schema = 4;
inline constexpr int oldest_journal_schema = 3;  ///< those before are refused
/// What a journal holds at most, so that a forged count takes no memory worth speaking of.
inline constexpr std::int64_t most_journal_candidates = 1 << 20;
inline constexpr std::int64_t most_journal_scores = 1 << 25;  ///< candidates x folds x metrics

enum class JournalState : std::uint8_t { empty, filled };

/// Makes the tables of an empty database.
void make_tables(const Database& database);
/// Makes a journal of an earlier format, which check_journal() has passed, one of today's. In a transaction.
void migrate(const Database& database);
/// Tells a journal, of today's or an earlier format, from an empty database. Throws DataError for another program's
/// database, for another format, and for a journal with anything in it that Overtake did not make: tables, views,
/// triggers, indices.
[[nodiscard]] JournalState check_journal(const Database& database);
/// Every page of the file fits to the others, and none is used twice. Throws DataError.
void check_pages(const Database& database);

/// What a search is apart from its results.
struct JournalSettings {
  std::string task, estimator, refit_metric;
  std::vector<Metric> metrics;
  std::int64_t candidates = 0, folds = 0;
};

/// Reads and checks them. A setting that is not there has its default where it has one. Throws DataError for settings
/// and metrics that this version does not know, naming them, and for values that make no sense.
[[nodiscard]] JournalSettings read_settings(const Database& database);

/// The fingerprint of everything that is written once: identity, settings, positive classes and candidates.
[[nodiscard]] std::string seal_of(const Database& database);
/// The same, when it is the one that was written. Throws DataError.
[[nodiscard]] std::string checked_seal(const Database& database);

/// The checksum of a row: of the journal's seal, the table, and the row's values.
class RowChecksum {
 public:
  RowChecksum(std::string_view seal, std::string_view table);
  RowChecksum& add(std::int64_t value);
  RowChecksum& add(double value);
  RowChecksum& add(std::string_view text);
  [[nodiscard]] std::string hex() const { return fingerprint_.hex(); }

 private:
  detail::Fingerprint fingerprint_;
};

}  // namespace overtake::search_detail
