// SPDX-License-Identifier: MIT
// The journal of a search: an SQLite database to which every finished batch is added, so that a search that was killed
// goes on where it was. `sqlite3 FILE .dump` shows all there is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "search/journal/database.hpp"
#include "search/journal/identity.hpp"
#include "search/journal/journal_file.hpp"
#include "search/journal/journal_lock.hpp"
#include "search/result/results.hpp"

namespace overtake::search_detail {

/// read_journal(), on the file system that `probe` says.
[[nodiscard]] SearchResult read_result(const std::filesystem::path& path,
                                       FileSystemProbe probe = platform::file_system_of);

/// The one writer of a journal. Readers (read_journal) may come and go meanwhile.
class Journal final : public JobLog {
 public:
  /// Opens or makes the journal. `result` gives metrics, estimator and device. Throws DataError: in use, damaged,
  /// foreign, of another search (naming the first difference), not writable. A file that is refused is left as it was.
  Journal(const std::filesystem::path& path, const SearchInput& input, const SearchResult& result,
          FileSystemProbe probe = platform::file_system_of);

  /// The jobs that earlier runs finished, by candidate and fold.
  [[nodiscard]] const std::vector<JobRecord>& records() const noexcept { return records_; }
  /// What the user should know of the file; empty: nothing.
  [[nodiscard]] std::string note() const;
  /// One transaction: after a kill or a power cut all of the records are there or none.
  void append(std::span<const JobRecord> records) override;
  /// Adds what this run did: plan, timing.
  void finish(const SearchResult& result);

 private:
  void take(const Identity& identity, const SearchInput& input);
  void create(const Identity& identity, const SearchInput& input, const SearchResult& result);
  void choose_mode();

  JournalPlace place_;
  WriterLock lock_;
  NewJournal made_;  // before the database: it goes after that is closed, while the lock is held
  Database database_;
  std::vector<Metric> metrics_;
  std::vector<JobRecord> records_;
  std::string seal_;
  std::int64_t run_ = 0;
};

}  // namespace overtake::search_detail
