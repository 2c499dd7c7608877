// SPDX-License-Identifier: MIT
// A journal that is not what was written: flipped bits, forged content, files that are none.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "data_support.hpp"
#include "search/journal/journal_format.hpp"
#include "search/journal/journal_rows.hpp"
#include "search_journal_support.hpp"

namespace overtake::test {
namespace {

using search_detail::Database;

/// A finished journal, and copies of it that were changed.
class Changed {
 public:
  Changed() { (void)bench.run(folder / "j.db"); }

  /// A copy after `sql`; `sealed`: with the checksum of its settings as a forger would write it.
  fs::path copy(const char* sql, bool sealed = false) const {
    fs::path path = folder.file("copy.db", read_bytes(folder / "j.db"));
    change(path, sql);
    if (sealed) {
      Database database(path, Database::Mode::write);
      const std::string seal = search_detail::seal_of(database);
      database.execute(("UPDATE about SET value='" + seal + "' WHERE key='checksum'").c_str());
    }
    return path;
  }

  /// Neither shown nor continued, and left as it was.
  void refused(const fs::path& path, const std::vector<std::string>& says) const {
    const std::string before = read_bytes(path);
    expect_error<DataError>([&] { (void)read_journal(path); }, says);
    expect_error<DataError>([&] { (void)bench.run(path); }, says);
    EXPECT_TRUE(read_bytes(path) == before);
  }

  TempFolder folder;
  Bench bench;
};

TEST(SearchJournalTrust, AChangedRowIsNamed) {
  const Changed journal;
  const std::string fit = "candidate 2, fold 1";
  journal.refused(journal.copy("UPDATE score SET value=0.875 WHERE candidate=2 AND fold=1 AND metric='accuracy'"),
                  {"copy.db is damaged", fit, "checksum", "Delete this candidate and fold"});
  journal.refused(journal.copy("UPDATE score SET value=NULL WHERE candidate=2 AND fold=1"), {fit, "checksum"});
  journal.refused(journal.copy("UPDATE job SET failure='none' WHERE candidate=2 AND fold=1"), {fit, "checksum"});
  journal.refused(journal.copy("UPDATE job SET fit_seconds=7 WHERE candidate=2 AND fold=1"), {fit, "checksum"});
  journal.refused(journal.copy("UPDATE score SET metric='f1' WHERE candidate=2 AND fold=1 AND metric='accuracy'"),
                  {fit, "no metric"});
  journal.refused(journal.copy("DELETE FROM job WHERE candidate=2 AND fold=1"), {fit, "a score of no job"});
  journal.refused(journal.copy("DELETE FROM job WHERE candidate=5 AND fold=2"), {"candidate 5, fold 2", "of no job"});
  // Rows of the same journal that changed places: each is whole.
  journal.refused(journal.copy("UPDATE job SET fold=99 WHERE candidate=2 AND fold=1;"
                               "UPDATE score SET fold=99 WHERE candidate=2 AND fold=1;"
                               "UPDATE job SET fold=1 WHERE candidate=2 AND fold=0;"
                               "UPDATE score SET fold=1 WHERE candidate=2 AND fold=0;"
                               "UPDATE job SET fold=0 WHERE candidate=2 AND fold=99;"
                               "UPDATE score SET fold=0 WHERE candidate=2 AND fold=99;"),
                  {"candidate 2, fold 0", "checksum"});
  journal.refused(journal.copy("UPDATE candidate SET parameters='{\"max_depth\":9}' WHERE id=3"), {"candidates"});
  expect_error<DataError>([&] { (void)read_journal(journal.copy("UPDATE finish SET wall=1e9")); },
                          {"row 1 of finish", "holds no score"});
  expect_error<DataError>([&] { (void)read_journal(journal.copy("UPDATE run SET device='cuda:0'")); },
                          {"row 1 of run"});
}

/// The cure that the message names.
TEST(SearchJournalTrust, ADamagedFitCanBeTakenOut) {
  const Changed journal;
  const fs::path path =
      journal.copy("DELETE FROM job WHERE candidate=2 AND fold=1; DELETE FROM score WHERE candidate=2 AND fold=1");
  std::size_t jobs_run = 0;
  expect_same_table(journal.bench.run(path, &jobs_run), journal.bench.run({}));
  EXPECT_EQ(jobs_run, 1U);
}

/// Rows of another journal do not fit, though it is one of the same search but for the seed.
TEST(SearchJournalTrust, RowsOfAnotherJournalAreRefused) {
  const Changed journal;
  Bench other;
  other.options.seed = 7;
  (void)other.run(journal.folder / "other.db");
  const std::string sql = "ATTACH '" + (journal.folder / "other.db").string() +
                          "' AS o; DELETE FROM job; DELETE FROM score; INSERT INTO job SELECT * FROM o.job;"
                          "INSERT INTO score SELECT * FROM o.score";
  journal.refused(journal.copy(sql.c_str()), {"candidate 0, fold 0", "checksum"});
}

/// Whatever bit flips: the table is as it was, or the file is refused.
TEST(SearchJournalTrust, NoFlippedBitIsBelieved) {
  const Changed journal;
  const SearchResult plain = journal.bench.run({});
  std::string bytes = read_bytes(journal.folder / "j.db");
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 37) {
    const auto flip = [&] { bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8))); };
    flip();
    const fs::path path = journal.folder.file("flipped.db", bytes);
    try {
      const SearchResult read = read_journal(path);
      SCOPED_TRACE("bit " + std::to_string(at % 8) + " of byte " + std::to_string(at));
      expect_same_table(read, plain);
      EXPECT_EQ(read.device, "cpu");
      EXPECT_EQ(read.plan.launches, 25);
    } catch (const DataError&) {
      ++refused;
    }
    flip();
    fs::remove(path.string() + "-wal");
    fs::remove(path.string() + "-journal");
  }
  EXPECT_GT(refused, 100);
}

TEST(SearchJournalTrust, ScoresAndTimesThatCannotBe) {
  const double infinite = std::numeric_limits<double>::infinity();
  const auto written = [&](const JobRecord& record, const std::vector<std::string>& says) {
    const TempFolder folder;
    const Bench bench;
    const SearchResult result = bench.empty();
    { Journal(folder / "j.db", bench.input(), result).append(std::vector<JobRecord>{record}); }
    expect_error<DataError>([&] { (void)read_journal(folder / "j.db"); }, says);
    expect_error<DataError>([&] { (void)bench.run(folder / "j.db"); }, says);
  };
  written({{4, 2}, {1.267, 0.5}, ""}, {"candidate 4, fold 2", "accuracy of 1.267 cannot be"});
  written({{4, 2}, {0.5, -0.01}, ""}, {"candidate 4, fold 2", "f1_macro of -0.01"});
  written({{4, 2}, {infinite, 0.5}, ""}, {"accuracy of inf"});
  written({{4, 2}, {0.5, 0.5}, "", -1, 0}, {"candidate 4, fold 2", "times"});
  written({{4, 2}, {0.5, 0.5}, "", 0, infinite}, {"times"});
  using search_detail::is_possible;
  EXPECT_TRUE(is_possible(Metric::r2, 1));
  EXPECT_TRUE(is_possible(Metric::r2, -1e300));
  EXPECT_FALSE(is_possible(Metric::r2, 1.01));
  EXPECT_TRUE(is_possible(Metric::neg_mean_squared_error, -1e200));
  EXPECT_FALSE(is_possible(Metric::neg_log_loss, 0.1));
  EXPECT_TRUE(is_possible(Metric::roc_auc, std::nan("")));
  for (const Metric metric : all_metrics()) EXPECT_FALSE(is_possible(metric, infinite));
}

TEST(SearchJournalTrust, NothingForeignInTheFile) {
  const Changed journal;
  const auto refused = [&](const char* sql, const std::vector<std::string>& says) {
    journal.refused(journal.copy(sql), says);
  };
  refused("CREATE VIEW evil AS SELECT 1", {"copy.db is damaged", "a view evil"});
  refused("CREATE TRIGGER evil AFTER INSERT ON job BEGIN DELETE FROM score; END", {"a trigger evil"});
  refused("CREATE TABLE more(x)", {"a table more"});
  refused("CREATE INDEX fast ON score(value)", {"a index fast"});
  refused("ALTER TABLE job ADD COLUMN note TEXT", {"a table job"});
  refused("ALTER TABLE score RENAME TO scores", {"a table scores"});
  refused("DROP TABLE positive", {"tables are missing"});
  // In the place of one of its tables, without end.
  refused(
      "DROP TABLE positive; CREATE VIEW positive(metric, class) AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT "
      "x + 1 FROM c) SELECT x, x FROM c",
      {"a view positive"});
}

TEST(SearchJournalTrust, ForgedCountsTakeNoMemory) {
  const Changed journal;
  for (const char* folds : {"2147483647", "99999999999999999999", "-1", "0", "3x", "12000000"}) {
    const std::string sql = "UPDATE about SET value='" + std::string(folds) + "' WHERE key='folds'";
    journal.refused(journal.copy(sql.c_str(), true), {"its folds is"});
  }
  journal.refused(journal.copy("UPDATE about SET value='1048577' WHERE key='candidates'", true), {"its candidates is"});
  expect_error<DataError>(
      [&] { (void)read_journal(journal.copy("UPDATE about SET value='1000000' WHERE key='candidates'", true)); },
      {"candidates are missing"});
  expect_error<DataError>(
      [&] { (void)journal.bench.run(journal.copy("UPDATE about SET value='4' WHERE key='folds'", true)); },
      {"contradict each other"});
  journal.refused(journal.copy("UPDATE candidate SET parameters=printf('%20000000s', '') WHERE id=1"),
                  {"16777216 bytes"});
  journal.refused(journal.copy("UPDATE job SET failure=zeroblob(1000) WHERE candidate=0 AND fold=0"), {"is no text"});
  journal.refused(journal.copy("UPDATE score SET value='high' WHERE candidate=0"), {"is no number"});
}

/// Also where a page leads back to one before it: reading takes a bounded number of steps.
TEST(SearchJournalTrust, WorkIsLimited) {
  const Changed journal;
  Database database(journal.folder / "j.db", Database::Mode::read);
  database.limit_work();
  const char* endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";
  const auto begin = std::chrono::steady_clock::now();
  expect_error<DataError>([&] { (void)database.integer(endless); }, {"j.db is damaged", "far more work"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));

  std::string bytes = read_bytes(journal.folder / "j.db");
  std::size_t circles = 0;
  for (std::size_t page = 4096; page < bytes.size(); page += 4096) {
    std::string changed = bytes;  // an inner page whose only child is itself
    constexpr std::string_view inner("\x05\0\0\0\0\x10\0\0", 8);
    changed.replace(page, inner.size(), inner);
    const std::size_t number = page / 4096 + 1;
    changed.replace(page + 8, 4, std::string{'\0', '\0', '\0', static_cast<char>(number)});
    expect_error<DataError>([&] { (void)read_journal(journal.folder.file("circle.db", changed)); }, {"damaged"});
    ++circles;
  }
  EXPECT_GE(circles, 8U);
}

TEST(SearchJournalTrust, WhatANewerVersionMayHaveWritten) {
  const Changed journal;
  const auto newer = "A newer version of Overtake wrote it";
  journal.refused(journal.copy("INSERT INTO about VALUES('zeal', '1')", true), {"the setting zeal", "not know", newer});
  journal.refused(journal.copy("UPDATE about SET value='accuracy,beauty' WHERE key='metrics'", true),
                  {"the metric beauty", newer});
  journal.refused(journal.copy("UPDATE about SET value='ranking' WHERE key='task'", true), {"the task ranking", newer});
  journal.refused(journal.copy("UPDATE about SET value='boosting' WHERE key='estimator'", true),
                  {"the estimator boosting", newer});
  const fs::path parameter = journal.copy("UPDATE candidate SET parameters='{\"glow\":1}' WHERE id=3", true);
  expect_error<DataError>([&] { (void)read_journal(parameter); }, {"the parameter glow", "not know", newer});
  const fs::path row = journal.copy("INSERT INTO identity(key, value) VALUES('monotone', 'a')", true);
  expect_error<DataError>([&] { (void)journal.bench.run(row); }, {"with monotone=a, this one has no monotone"});
  const fs::path rules = journal.copy("UPDATE identity SET value='2' WHERE key='results'", true);
  expect_error<DataError>([&] { (void)journal.bench.run(rules); }, {"copy.db holds scores", "by other rules"});
}

/// The checksums of the rows include the seal, so the rows are written anew.
TEST(SearchJournalTrust, MissingSettingsHaveTheirDefaults) {
  const TempFolder folder;
  const Bench bench;
  const SearchResult result = bench.empty();
  { const Journal started(folder / "j.db", bench.input(), result); }
  const auto without = [&](const std::string& where) {
    const fs::path path = folder.file("copy.db", read_bytes(folder / "j.db"));
    change(path, ("DELETE FROM run; DELETE FROM " + where).c_str());
    Database database(path, Database::Mode::write);
    database.execute(
        ("UPDATE about SET value='" + search_detail::seal_of(database) + "' WHERE key='checksum'").c_str());
    return path;
  };
  for (const char* key : {"results", "repeats", "shuffle", "sample_weight", "seed"}) {
    const fs::path path = without("identity WHERE key='" + std::string(key) + "'");
    EXPECT_NO_THROW((void)bench.run(path)) << key;
    Bench other;
    other.options.seed = 7;
    EXPECT_THROW((void)other.run(path), DataError) << key;
  }
  for (const char* key : {"refit_metric", "data_name", "version"}) {
    const fs::path path = without("about WHERE key='" + std::string(key) + "'");
    EXPECT_EQ(read_journal(path).refit_metric, 0U) << key;
  }
  expect_error<DataError>([&] { (void)read_journal(without("about WHERE key='folds'")); }, {"does not say its folds"});
  expect_error<DataError>([&] { (void)bench.run(without("identity WHERE key='rows'")); }, {"without rows"});
}

/// Pipes, sockets, devices and folders, in place of the journal or of a file beside it. Opening a pipe would wait for
/// ever.
TEST(SearchJournalTrust, WhatIsNoFile) {
  const TempFolder folder;
  const Bench bench;
  const auto both = [&](const fs::path& path, const std::vector<std::string>& says) {
    expect_error<DataError>([&] { (void)read_journal(path); }, says);
    expect_error<DataError>([&] { (void)bench.run(path); }, says);
    EXPECT_FALSE(is_being_written(path));
  };
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  both(folder / "pipe", {"pipe is a pipe, no file"});
  fs::create_symlink("pipe", folder / "link");
  both(folder / "link", {"link is a pipe, no file"});
  fs::create_directory(folder / "sub");
  both(folder / "sub", {"sub is a folder, no file"});
  both("/dev/null", {"/dev/null is a device, no file"});
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder / "socket").string();
  ASSERT_LT(name.size(), sizeof(address.sun_path));
  std::copy(name.begin(), name.end(), address.sun_path);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  both(name, {"socket is a socket, no file"});
  ::close(descriptor);
  for (const char* suffix : {"-wal", "-shm", "-journal", "-lock"}) {
    const TempFolder other;
    (void)bench.run(other / "j.db");
    ASSERT_EQ(::mkfifo((other / ("j.db" + std::string(suffix))).c_str(), 0600), 0);
    both(other / "j.db", {"file beside the journal", suffix, "is a pipe"});
  }
}

/// A rollback journal may name a file that SQLite removes when it has rolled back: any file of the user's, if forged.
TEST(SearchJournalTrust, AForgedRollbackJournalRemovesNoFile) {
  const Changed journal;
  std::string bytes = read_bytes(journal.folder / "j.db");
  bytes[18] = bytes[19] = 1;  // written by a rollback journal
  const fs::path path = journal.folder.file("copy.db", bytes);
  const fs::path victim = journal.folder.file("victim", "precious");
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFFU);
    return text;
  };
  const std::string magic("\xD9\xD5\x05\xF9\x20\xA1\x63\xD7", 8);
  const std::string name = victim.string();
  std::uint32_t sum = 0;
  for (const char c : name) sum += static_cast<unsigned char>(c);
  const auto pages = static_cast<std::uint32_t>(bytes.size() / 4096);
  std::string forged = magic + number(0) + number(1) + number(pages) + number(512) + number(4096);
  forged.resize(512);
  forged +=
      number(0x4000'0000 / 4096 + 1) + name + number(static_cast<std::uint32_t>(name.size())) + number(sum) + magic;
  (void)journal.folder.file("copy.db-journal", forged);
  journal.refused(path, {"copy.db-journal", "no rollback journal of Overtake"});
  EXPECT_EQ(read_bytes(victim), "precious");
  (void)journal.folder.file("copy.db-journal", "");
  EXPECT_EQ(read_journal(path).resumed_jobs, 18);
}

}  // namespace
}  // namespace overtake::test
