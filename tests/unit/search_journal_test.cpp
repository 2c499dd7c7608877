// SPDX-License-Identifier: MIT
// The journal: what survives a kill, who is refused, what readers see.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "data_support.hpp"
#include "search_journal_support.hpp"

namespace overtake::test {
namespace {

TEST(SearchJournal, KeepsTheWholeTable) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "a journal.db";
  const SearchResult plain = bench.run({});
  const SearchResult first = bench.run(path);
  expect_same_table(first, plain);
  EXPECT_EQ(first.resumed_jobs, 0);
  EXPECT_EQ(folder.count(), 1U) << "no -wal, -shm or -lock is left";
  const SearchResult read = read_journal(path);
  expect_same_table(read, plain);
  EXPECT_FALSE(read.interrupted);
  EXPECT_EQ(read.plan.jobs, 18);
  EXPECT_EQ(read.plan.launches, 25);
  EXPECT_EQ(read.plan.batches, 5);
  EXPECT_DOUBLE_EQ(read.timing.compute, 1.25);
  EXPECT_EQ(read.device, "cpu");
  EXPECT_EQ(read.estimator, "random-forest");
  EXPECT_GT(read.rows[0].mean_fit_seconds, 0);

  std::size_t jobs_run = 99;
  const SearchResult again = bench.run(path, &jobs_run);
  EXPECT_EQ(jobs_run, 0U) << "nothing is trained twice";
  EXPECT_EQ(again.resumed_jobs, 18);
  expect_same_table(again, plain);
}

TEST(SearchJournal, GoesOnAfterAnError) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  EXPECT_THROW((void)bench.run(path, nullptr, 2), DeviceError);
  const SearchResult partial = read_journal(path);
  EXPECT_TRUE(partial.interrupted);
  EXPECT_EQ(partial.resumed_jobs, 8);
  EXPECT_TRUE(partial.rows[1].done);
  EXPECT_FALSE(partial.rows[2].done);
  EXPECT_GE(partial.best_index, 0);
  std::size_t jobs_run = 0;
  expect_same_table(bench.run(path, &jobs_run), bench.run({}));
  EXPECT_EQ(jobs_run, 10U);
}

/// A child runs `batches` batches of the search and is then killed, with the journal open.
void run_and_be_killed(const Bench& bench, const fs::path& path, int batches) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SearchResult result = bench.empty();
    Journal journal(path, bench.input(), result);
    FakeEstimator estimator(bench.data, bench.folds, bench.candidates.size());
    std::vector<Job> jobs;
    for (std::int32_t c = 0; c < 6; ++c) {
      for (std::int32_t f = 0; f < 3; ++f) jobs.push_back({c, f});
    }
    const std::vector<search_detail::Batch> plan = estimator.plan(jobs);
    for (int b = 0; b < batches; ++b) {
      const search_detail::Batch& batch = plan[static_cast<std::size_t>(b)];
      const std::vector<FoldOutcome> outcomes =
          estimator.run(batch, false, nullptr, search_detail::main_device).value();
      std::vector<JobRecord> records;
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        JobRecord record{batch.jobs[i], {}, ""};
        for (const Metric metric : bench.options.metrics) {
          const Fold& fold = bench.folds[static_cast<std::size_t>(batch.jobs[i].fold)];
          record.scores.push_back(score_of(metric, outcomes[i], bench.data, fold.test));
        }
        records.push_back(record);
      }
      journal.append(records);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended in another way";
}

TEST(SearchJournal, SurvivesAKillAfterAnyBatch) {
  const Bench bench;
  const SearchResult plain = bench.run({});
  for (int batches = 0; batches <= 5; ++batches) {
    const TempFolder folder;
    const fs::path path = folder / "j.db";
    run_and_be_killed(bench, path, batches);
    ASSERT_TRUE(fs::exists(path));
    EXPECT_EQ(read_journal(path).resumed_jobs, std::min(18, 4 * batches));
    std::size_t jobs_run = 99;
    expect_same_table(bench.run(path, &jobs_run), plain);
    EXPECT_EQ(jobs_run, static_cast<std::size_t>(18 - std::min(18, 4 * batches)));
  }
}

/// The disk as a power cut leaves it: the database and its log, cut anywhere.
TEST(SearchJournal, SurvivesAWriteAheadLogCutAnywhere) {
  const Bench bench;
  const SearchResult plain = bench.run({});
  const TempFolder folder;
  const fs::path path = folder / "j.db";
  run_and_be_killed(bench, path, 4);
  const std::string database = read_bytes(path);
  const std::string log = read_bytes(path.string() + "-wal");
  ASSERT_GT(log.size(), 4096U);
  std::int64_t least = 18;
  std::int64_t most = 0;
  for (std::size_t size = 0; size <= log.size(); size += log.size() / 23) {
    const TempFolder other;
    (void)other.file("j.db", database);
    (void)other.file("j.db-wal", log.substr(0, size));
    std::size_t jobs_run = 0;
    const SearchResult result = bench.run(other / "j.db", &jobs_run);
    expect_same_table(result, plain);
    EXPECT_EQ(jobs_run + static_cast<std::size_t>(result.resumed_jobs), 18U);
    EXPECT_TRUE(result.resumed_jobs % 4 == 0) << "half a batch: " << result.resumed_jobs;
    least = std::min(least, result.resumed_jobs);
    most = std::max(most, result.resumed_jobs);
  }
  EXPECT_EQ(least, 0);
  EXPECT_GE(most, 12);
}

TEST(SearchJournal, ASearchThatDiedBeforeItsFirstTransaction) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder.file("j.db", "");
  expect_error<DataError>([&] { (void)read_journal(path); }, {"holds no search yet"});
  expect_same_table(bench.run(path), bench.run({}));
}

TEST(SearchJournal, DifferencesAreNamed) {
  const TempFolder folder;
  const fs::path path = folder / "iris.db";
  (void)Bench().run(path);
  const std::string before = read_bytes(path);
  const auto refused = [&](const std::vector<std::string>& says, auto alter) {
    Bench bench;
    alter(bench);
    bench.folds = make_folds(bench.data, bench.options.folds);
    std::vector<std::string> fragments = says;
    fragments.push_back("iris.db holds a search");
    expect_error<DataError>([&] { (void)bench.run(path); }, fragments);
    EXPECT_TRUE(read_bytes(path) == before) << "a refused search changes nothing";
    EXPECT_EQ(folder.count(), 1U);
  };
  refused({"with cv=3, this one has cv=4"}, [](Bench& b) { b.options.folds.n_splits = 4; });
  refused({"with max_depth=1,2,3,4,5,6, this one has max_depth=1,2,3"}, [](Bench& b) { b.candidates.resize(3); });
  refused({"without criterion, this one has criterion=gini"}, [](Bench& b) {
    b.options.fixed = {{"criterion", std::string("gini")}};
  });
  refused({"with max_depth=1,2,3,4,5,6, this one has no max_depth"}, [](Bench& b) {
    for (Parameters& p : b.candidates) p.clear();
    b.options.seed = 0;
  });
  refused({"rows=12, this one has rows=13"}, [](Bench& b) {
    b.data = labelled({0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1}, 2);
  });
  refused({"other data", "other values"}, [](Bench& b) { b.data.inputs[3] += 1; });
  refused({"other data"}, [](Bench& b) { std::swap(b.data.labels[0], b.data.labels[1]); });
  refused({"seed=0, this one has seed=7"}, [](Bench& b) { b.options.seed = 7; });
  refused({"metrics=accuracy,f1_macro, this one has metrics=accuracy"}, [](Bench& b) { b.options.metrics.pop_back(); });
  refused({"estimator=random-forest, this one has estimator=extra-trees"},
          [](Bench& b) { b.options.estimator = "extra-trees"; });
  refused({"shuffle=false, this one has shuffle=true"}, [](Bench& b) { b.options.folds.shuffle = true; });
  refused({"fold_kind=stratified, this one has fold_kind=k_fold"},
          [](Bench& b) { b.options.folds.kind = FoldKind::k_fold; });
  refused({"other sample weights"}, [](Bench& b) { b.options.sample_weight.assign(12, 2.0F); });
  refused({"other names"}, [](Bench& b) { b.options.feature_names = {"width"}; });
  // Not differences: another name, another metric to refit by, what "automatic" stands for.
  Bench same;
  same.options.data_name = "renamed.csv";
  same.options.refit_metric = 1;
  same.options.folds.kind = FoldKind::stratified;
  std::size_t jobs_run = 99;
  (void)same.run(path, &jobs_run);
  EXPECT_EQ(jobs_run, 0U);
}

TEST(SearchJournal, CandidatesInAnotherOrderAreOthers) {
  const TempFolder folder;
  Bench bench;
  bench.candidates.clear();
  for (const std::int64_t depth : {1, 2}) {
    for (const std::int64_t leaf : {1, 2}) {
      bench.candidates.push_back({{"max_depth", depth}, {"min_samples_leaf", leaf}});
    }
  }
  (void)bench.run(folder / "j.db");
  std::swap(bench.candidates[1], bench.candidates[3]);
  std::swap(bench.candidates[1], bench.candidates[2]);  // the values of each parameter come in the same order
  expect_error<DataError>([&] { (void)bench.run(folder / "j.db"); }, {"holds a search of other candidates"});
}

/// Targets that float32 would round to the same are other data.
TEST(SearchJournal, TargetsCountInDouble) {
  const TempFolder folder;
  Dataset data = numbered({1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4, 1e9 + 5, 1e9 + 6, 1e9 + 7, 1e9 + 8});
  SearchOptions options;
  options.estimator = "extra-trees";
  options.fixed = {{"n_estimators", std::int64_t{2}}};
  options.folds.n_splits = 2;
  options.journal = folder / "j.db";
  const SearchResult first = search(data, depths(2), options);
  EXPECT_EQ(search(data, depths(2), options).resumed_jobs, first.plan.jobs);
  data.targets[3] += 1e-3;
  expect_error<DataError>([&] { (void)search(data, depths(2), options); }, {"a search of other data"});
}

/// f1 of one class is no score of the other.
TEST(SearchJournal, AnotherPositiveClassIsRefused) {
  const TempFolder folder;
  Bench bench;
  bench.options.metrics = {Metric::f1};
  bench.options.class_names = {"no", "yes"};
  bench.options.positive_class = "yes";
  const SearchResult first = bench.run(folder / "j.db");
  EXPECT_EQ(first.positive_classes, std::vector<std::string>{"yes"});
  EXPECT_EQ(read_journal(folder / "j.db").positive_classes, first.positive_classes);
  bench.options.positive_class = "no";
  expect_error<DataError>([&] { (void)bench.run(folder / "j.db"); }, {"positive_class=yes", "positive_class=no"});
  EXPECT_NE(bench.run({}).rows[0].scores, first.rows[0].scores);
}

TEST(SearchJournal, ForeignAndDamagedFilesAreRefused) {
  const TempFolder folder;
  const Bench bench;
  const auto both = [&](const fs::path& path, const std::vector<std::string>& says) {
    const std::string before = read_bytes(path);
    const std::size_t files = folder.count();
    expect_error<DataError>([&] { (void)bench.run(path); }, says);
    expect_error<DataError>([&] { (void)read_journal(path); }, says);
    EXPECT_TRUE(read_bytes(path) == before) << path;
    EXPECT_EQ(folder.count(), files) << path;
  };
  both(folder.file("short.csv", "a,b\n"), {"short.csv is no journal"});
  both(folder.file("long.csv", std::string(5000, 'x')), {"long.csv is no journal"});
  const fs::path other = folder / "other.db";
  change(other, "CREATE TABLE t(x)");
  both(other, {"other.db is no journal", "another program"});

  const fs::path journal = folder / "j.db";
  (void)bench.run(journal);
  const std::string whole = read_bytes(journal);
  both(folder.file("cut.db", whole.substr(0, whole.size() / 2)), {"cut.db", "damaged"});
  std::string torn = whole;
  for (std::size_t i = 4096; i < torn.size(); i += 512) torn.replace(i, 64, std::string(64, '\x55'));
  both(folder.file("torn.db", torn), {"torn.db", "damaged"});
  const auto changed = [&](const char* name, const char* sql) {
    const fs::path path = folder.file(name, whole);
    change(path, sql);
    return path;
  };
  both(changed("older.db", "PRAGMA user_version=1"), {"older.db", "format 1, expected 3 to 4"});
  both(changed("newer.db", "PRAGMA user_version=99"), {"newer.db", "format 99, expected 3 to 4"});
  both(changed("extra.db", "INSERT INTO job VALUES(77, 0, 1, '', 0, 0, '')"), {"extra.db", "candidate 77"});
  both(changed("missing.db", "DELETE FROM score WHERE candidate=2 AND fold=1"),
       {"missing.db", "candidate 2, fold 1: scores are missing"});
  both(changed("runs.db", "UPDATE finish SET models=13"), {"runs.db", "row 1 of finish"});
  both(changed("words.db", "UPDATE candidate SET parameters='gini' WHERE id=1"), {"words.db is damaged", "candidates"});
  both(changed("metric.db", "UPDATE about SET value='beauty' WHERE key='metrics'"), {"metric.db is damaged"});
  expect_error<DataError>([&] { (void)read_journal(folder / "none.db"); }, {"there is no journal"});
  expect_error<DataError>([&] { (void)bench.run(folder.path()); }, {"is a folder, no file"});
  expect_error<DataError>([&] { (void)bench.run(folder / "no/folder.db"); },
                          {"cannot write the journal", "No such file"});
}

/// A journal of format 3 is read as it is, and becomes one of today's when its search goes on.
TEST(SearchJournal, AnEarlierFormatIsMigrated) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  const SearchResult whole = bench.run(path);
  change(path, "ALTER TABLE finish RENAME COLUMN models TO forests");
  change(path, "PRAGMA user_version=3");
  change(path, "DELETE FROM job WHERE candidate=2 AND fold=1");
  change(path, "DELETE FROM score WHERE candidate=2 AND fold=1");
  const std::string before = read_bytes(path);
  EXPECT_EQ(read_journal(path).plan.models, whole.plan.models);
  EXPECT_TRUE(read_bytes(path) == before);
  const SearchResult again = bench.run(path);
  EXPECT_EQ(again.resumed_jobs, whole.plan.jobs - 1);
  EXPECT_EQ(again.rows[2].scores, whole.rows[2].scores);
  EXPECT_EQ(read_journal(path).plan.models, whole.plan.models + again.plan.models);
  change(path, "UPDATE finish SET models=models");  // the column has its new name
}

TEST(SearchJournal, OneWriterManyReaders) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  fs::create_symlink(path, folder / "alias.db");
  const SearchResult result = bench.empty();
  {
    Journal writer(path, bench.input(), result);
    writer.append(std::vector<JobRecord>{{{0, 0}, {0.5, 0.25}, ""}});
    for (const char* name : {"j.db", "alias.db"}) {
      expect_error<DataError>([&] { const Journal second(folder / name, bench.input(), result); }, {name, "in use"});
    }
    EXPECT_EQ(read_journal(path).resumed_jobs, 1);
    EXPECT_EQ(read_journal(path).rows[0].scores[1][0], 0.25);
    EXPECT_TRUE(std::isnan(read_journal(path).rows[0].scores[1][1]));
    writer.append(std::vector<JobRecord>{{{0, 1}, {0.5, 0.25}, ""}});
    EXPECT_EQ(read_journal(path).resumed_jobs, 2);
  }
  EXPECT_NO_THROW(const Journal next(path, bench.input(), result));
}

TEST(SearchJournal, ReadersDoNotWaitForAnOpenTransaction) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  EXPECT_THROW((void)bench.run(path, nullptr, 2), DeviceError);
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(writer, "BEGIN IMMEDIATE; INSERT INTO job VALUES(5, 2, 1, '', 0, 0, '')", nullptr, nullptr, nullptr),
      SQLITE_OK);
  EXPECT_EQ(read_journal(path).resumed_jobs, 8) << "the open transaction does not show";
  ASSERT_EQ(sqlite3_exec(writer, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);

  // And a reader in the middle of its work does not keep the writer from writing.
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN; SELECT count(*) FROM job", nullptr, nullptr, nullptr), SQLITE_OK);
  std::size_t jobs_run = 0;
  (void)bench.run(path, &jobs_run);
  EXPECT_EQ(jobs_run, 10U);
  sqlite3_close(writer);
}

TEST(SearchJournal, FailuresAndOddScoresComeBack) {
  const TempFolder folder;
  const Bench bench;
  const fs::path path = folder / "j.db";
  const SearchResult result = bench.empty();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double third = 1.0 / 3;
  {
    Journal journal(path, bench.input(), result);
    journal.append(std::vector<JobRecord>{{{1, 2}, {nan, nan}, "max_features=70: \"too\" many; 'x'"},
                                          {{1, 0}, {third, 1 + 1e-16 * 3}, ""},
                                          {{1, 1}, {nan, 0.1}, "", 0.5, 0.25}});
  }
  const Journal journal(path, bench.input(), result);
  const std::vector<JobRecord> records = journal.records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].scores, (std::vector<double>{third, 1 + 1e-16 * 3}));
  EXPECT_TRUE(std::isnan(records[1].scores[0]));
  EXPECT_EQ(records[1].fit_seconds, 0.5);
  EXPECT_EQ(records[1].score_seconds, 0.25);
  EXPECT_EQ(records[2].failure, "max_features=70: \"too\" many; 'x'");
  EXPECT_EQ(read_journal(path).rows[1].failure, "max_features=70: \"too\" many; 'x'");
}

TEST(SearchJournal, ParametersOfEveryKindComeBack) {
  const TempFolder folder;
  Bench bench;
  bench.candidates = {
      {{"max_depth", std::monostate()}, {"bootstrap", true}, {"max_features", 1.0}},
      {{"max_depth", std::int64_t{3}}, {"bootstrap", false}, {"max_features", 0.1}},
      {{"max_depth", std::int64_t{-1}}, {"criterion", std::string("a\"b<c")}, {"max_features", 1e-300}}};
  const fs::path path = folder / "j.db";
  (void)bench.run(path);
  const SearchResult read = read_journal(path);
  for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(read.rows[c].parameters, bench.candidates[c]);
}

/// As on a full disk: the system refuses to let files grow.
TEST(SearchJournal, NoMoreSpace) {
  const TempFolder folder;
  Bench bench;
  bench.candidates = depths(400);
  const fs::path path = folder / "j.db";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 256 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error<DataError>([&] { (void)bench.run(path); }, {"the journal", "j.db"});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  const SearchResult partial = read_journal(path);
  EXPECT_GT(partial.resumed_jobs, 0);
  EXPECT_LT(partial.resumed_jobs, 1200);
  EXPECT_EQ(partial.resumed_jobs % 4, 0);
  expect_same_table(bench.run(path), bench.run({}));
}

TEST(SearchJournal, AReadOnlyFolder) {
  const Bench bench;
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TempFolder folder;
  (void)bench.run(folder / "j.db");
  ::chmod(folder.path().c_str(), 0555);
  expect_error<DataError>([&] { (void)bench.run(folder / "j.db"); }, {"cannot write the journal"});
  EXPECT_EQ(read_journal(folder / "j.db").resumed_jobs, 18);
  ::chmod(folder.path().c_str(), 0755);
}

}  // namespace
}  // namespace overtake::test
