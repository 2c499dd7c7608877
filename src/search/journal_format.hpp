// SPDX-License-Identifier: MIT
// What the writer and the readers of a journal share.
#pragma once

#include <vector>

#include "search/database.hpp"
#include "search/results.hpp"

namespace overtake::search_detail {

/// Marks the file as a journal of Overtake ("OVTJ"; SQLite's application_id).
inline constexpr std::int32_t journal_application_id = 0x4F56'544A;
/// Of the tables and of what the identity is made of; others are refused. 2: targets in double, positive classes.
inline constexpr int journal_schema = 2;

enum class JournalState : std::uint8_t { empty, filled };

/// Tells a journal from an empty database. Throws DataError for another program's database and for another schema.
[[nodiscard]] JournalState check_journal(const Database& database);

/// A value of the table `about`; throws DataError when it is not there.
[[nodiscard]] std::string about(const Database& database, std::string_view key);
[[nodiscard]] std::int64_t about_number(const Database& database, std::string_view key);

/// The scores recorded so far, by candidate and fold. Throws DataError for rows that do not belong together.
[[nodiscard]] std::vector<JobRecord> read_records(const Database& database, const std::vector<Metric>& metrics,
                                                  std::size_t candidates, std::size_t folds);

/// Throws the DataError of a journal whose content makes no sense.
[[noreturn]] void fail_damaged(const Database& database, std::string_view what);

}  // namespace overtake::search_detail
