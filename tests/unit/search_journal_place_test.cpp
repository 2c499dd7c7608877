// SPDX-License-Identifier: MIT
// Readers beside a writer, and file systems that computers share.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "data_support.hpp"
#include "search/journal/journal_file.hpp"
#include "search_journal_support.hpp"

namespace overtake::test {
namespace {

using platform::file_system_of;
using platform::shared_file_system;
using search_detail::FileSystemProbe;
using search_detail::read_result;

/// Whoever looks at a journal again and again keeps no search from starting, going on or ending.
TEST(SearchJournalPlace, ReadersInATightLoopDisturbNobody) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  std::atomic<bool> stop{false};
  std::atomic<int> shown{0};
  std::vector<std::string> errors;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      while (!stop) {
        static_cast<void>(is_being_written(path));
        try {
          EXPECT_LE(read_journal(path).resumed_jobs, 18);
          ++shown;
        } catch (const DataError& error) {
          const std::string text = error.what();
          const bool early = text.find("there is no journal") != std::string::npos ||
                             text.find("holds no search yet") != std::string::npos;
          if (!early && reader == 0) errors.push_back(text);
        }
      }
    });
  }
  const SearchResult plain = bench.run({});
  for (int round = 0; round < 25; ++round) {
    const fs::path own = folder / ("j" + std::to_string(round) + ".db");
    EXPECT_NO_THROW(expect_same_table(bench.run(path), plain));
    EXPECT_NO_THROW({
      SearchResult result = bench.empty();
      const Journal begun(own, bench.input(), result);
    });
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(shown, 0);
  EXPECT_TRUE(errors.empty()) << errors.size() << " errors, the first: " << errors.front();
}

/// A search that starts never finds the lock in the hands of somebody who only looks.
TEST(SearchJournalPlace, AskingForTheLockKeepsNobodyFromTakingIt) {
  const TempFolder folder;
  const fs::path path = folder / "j.db";
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      while (!stop) static_cast<void>(is_being_written(path));
    });
  }
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    (void)folder.file("j.db-lock", "");
    try {
      const search_detail::WriterLock lock(path);
    } catch (const DataError&) {
      ++refused;
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(refused, 0);
}

/// Whether another process would find the database in use. A search holds this lock for as long as it lives; without it
/// a reader of another process that leaves takes itself for the last one, and removes the write-ahead log.
bool in_use(const fs::path& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x4000'0002;  // SQLite's range of shared locks
    lock.l_len = 510;
    const int descriptor = ::open(path.c_str(), O_RDWR);
    ::_exit(::fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST(SearchJournalPlace, ReadersInTheSameProcessLeaveTheLocksOfTheSearch) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  const SearchResult result = bench.empty();
  Journal writer(path, bench.input(), result);
  EXPECT_TRUE(in_use(path));
  EXPECT_EQ(read_journal(path).resumed_jobs, 0);
  EXPECT_TRUE(is_being_written(path));
  expect_error<DataError>([&] { const Journal second(path, bench.input(), result); }, {"in use"});
  EXPECT_TRUE(in_use(path));
}

TEST(SearchJournalPlace, AsksForTheLockWithoutTakingIt) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  EXPECT_FALSE(is_being_written(path));
  {
    const SearchResult result = bench.empty();
    const Journal writer(path, bench.input(), result);
    EXPECT_TRUE(is_being_written(path));
    fs::create_symlink(path, folder / "alias.db");
    EXPECT_TRUE(is_being_written(folder / "alias.db"));
  }
  EXPECT_FALSE(is_being_written(path));
  (void)folder.file("j.db-lock", "");  // of a search that was killed
  EXPECT_FALSE(is_being_written(path));
}

TEST(SearchJournalPlace, SharedFileSystemsAreKnown) {
  EXPECT_EQ(shared_file_system(0x6969), "nfs");
  EXPECT_EQ(shared_file_system(0xFF534D42), "cifs");
  EXPECT_EQ(shared_file_system(static_cast<std::int32_t>(0xFF534D42)), "cifs") << "with its sign extended";
  EXPECT_EQ(shared_file_system(0xFE534D42), "smb2");
  EXPECT_EQ(shared_file_system(0x65735546), "fuse");
  EXPECT_EQ(shared_file_system(0x01021997), "9p");
  EXPECT_EQ(shared_file_system(0x0BD00BD0), "lustre");
  EXPECT_EQ(shared_file_system(0xEF53), "") << "ext4";
  EXPECT_EQ(shared_file_system(0x01021994), "") << "tmpfs";
  EXPECT_EQ(shared_file_system(0), "");
  EXPECT_NE(file_system_of("/proc/self"), 0);
  EXPECT_EQ(file_system_of("/proc/none"), file_system_of("/proc/self")) << "of the folder, for a file to be made";
}

constexpr FileSystemProbe nfs = [](const fs::path&) -> std::int64_t { return 0x6969; };

/// The byte of the header that says how the file is written: 1 by a rollback journal, 2 by a write-ahead log.
int way_of_writing(const fs::path& path) { return read_bytes(path).at(18); }

SearchResult run_on(const Bench& bench, const fs::path& path, FileSystemProbe probe, std::size_t* jobs_run = nullptr) {
  SearchResult result = bench.empty();
  FakeEstimator estimator(bench.data, bench.folds, bench.candidates.size());
  Journal journal(path, bench.input(), result, probe);
  EXPECT_EQ(journal.note().find("(nfs)") != std::string::npos, probe == nfs);
  search_detail::run_search(result, bench.input(), estimator, journal.records(), &journal);
  journal.finish(result);
  if (jobs_run != nullptr) *jobs_run = estimator.ran.size();
  return result;
}

TEST(SearchJournalPlace, NoWriteAheadLogOnASharedFileSystem) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  const SearchResult plain = bench.run({});
  {
    const SearchResult result = bench.empty();
    Journal writer(path, bench.input(), result, nfs);
    writer.append(std::vector<JobRecord>{{{0, 0}, {0.5, 0.25}, ""}});
    EXPECT_FALSE(fs::exists(path.string() + "-wal"));
    EXPECT_EQ(read_result(path, nfs).resumed_jobs, 1) << "readers come in while the search runs";
    writer.append(std::vector<JobRecord>{{{0, 1}, {0.5, 0.25}, ""}});
    EXPECT_EQ(read_result(path, nfs).resumed_jobs, 2);
  }
  EXPECT_EQ(way_of_writing(path), 1);
  std::size_t jobs_run = 0;
  (void)run_on(bench, path, nfs, &jobs_run);
  EXPECT_EQ(jobs_run, 16U);
  fs::remove(path);
  expect_same_table(run_on(bench, path, nfs), plain);
  expect_same_table(read_result(path, nfs), plain);
  EXPECT_EQ(folder.count(), 1U);
}

TEST(SearchJournalPlace, AJournalThatMovesToASharedFileSystem) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  const SearchResult plain = run_on(bench, path, file_system_of);
  EXPECT_EQ(way_of_writing(path), 2);
  expect_same_table(read_result(path, nfs), plain);
  EXPECT_EQ(folder.count(), 1U) << "a reader makes no files there";
  std::size_t jobs_run = 99;
  expect_same_table(run_on(bench, path, nfs, &jobs_run), plain);
  EXPECT_EQ(jobs_run, 0U);
  EXPECT_EQ(way_of_writing(path), 1);
  expect_same_table(run_on(bench, path, file_system_of), plain);
  EXPECT_EQ(way_of_writing(path), 2);

  // Open on another computer, or left behind by a kill there.
  const SearchResult result = bench.empty();
  const Journal writer(path, bench.input(), result);
  const TempFolder other;
  const fs::path copy = other.file("j.db", read_bytes(path));
  (void)other.file("j.db-wal", read_bytes(path.string() + "-wal"));
  const std::vector<std::string> says = {"shared file system (nfs)", "write-ahead log", "local disk"};
  expect_error<DataError>([&] { (void)read_result(copy, nfs); }, says);
  expect_error<DataError>([&] { (void)run_on(bench, copy, nfs); }, says);
  EXPECT_EQ(other.count(), 2U);
  expect_same_table(read_result(copy), plain);
}

/// A journal that comes back to a local disk, where its way of writing changes while somebody reads.
TEST(SearchJournalPlace, ASearchWaitsForAReaderThatIsInItsWay) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  (void)run_on(bench, path, nfs);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr), SQLITE_OK);
  std::thread leaves([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    sqlite3_close(reader);
  });
  EXPECT_NO_THROW((void)bench.run(path));
  leaves.join();
  EXPECT_EQ(way_of_writing(path), 2);
}

}  // namespace
}  // namespace overtake::test
