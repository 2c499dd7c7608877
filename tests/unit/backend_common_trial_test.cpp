// SPDX-License-Identifier: MIT
// Trials with scripts in the place of the program that tries drivers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>

#include "backend/common/trial/driver_trial.hpp"
#include "data_support.hpp"
#include "overtake/device/driver_trial.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Kind = TrialRun::Kind;

class Witness : public TrialObserver {
 public:
  void on_trial(const std::string& subject) override { seen += "trial " + subject + "; "; }
  void on_check(const std::string&, const std::string& check) override { seen += "check " + check + "; "; }
  void on_verdict(const std::string&, const std::string& trouble) override {
    seen += trouble.empty() ? "works; " : "fails; ";
  }
  void on_untried(const std::string&, const std::string& why) override { seen += "untried " + why + "; "; }
  void on_not_kept(const std::string&, const std::string& folder) override { seen += "not kept in " + folder + "; "; }
  bool stop() override { return stopped; }
  std::string seen;
  bool stopped = false;
};

class DriverTrials : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("OVERTAKE_CACHE_DIR", (folder_ / "cache").c_str(), 1);
    ::setenv("OVERTAKE_TRIAL_PROGRAM", (folder_ / "program").c_str(), 1);
    observe_trials(&witness_);
  }
  void TearDown() override {
    observe_trials(nullptr);
    for (const char* name : {"OVERTAKE_CACHE_DIR", "OVERTAKE_TRIAL_PROGRAM", "OVERTAKE_TRIAL"}) ::unsetenv(name);
  }

  /// Every run of the program adds a line to "runs".
  void program_does(const std::string& script) {
    const fs::path path = folder_ / "program";
    std::ofstream(path) << "#!/bin/sh\necho run >> " << (folder_ / "runs").string() << "\necho begin >&3\n"
                        << script << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  [[nodiscard]] int runs() const {
    std::ifstream file(folder_ / "runs");
    std::string line;
    int count = 0;
    while (std::getline(file, line)) ++count;
    return count;
  }
  /// Each test, and each number, is a driver that this process has never heard of.
  static TrialSubject subject(int number = 0) {
    const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    return {"opencl:7",
            "a device",
            {test, std::to_string(number)},
            {{"device", "opencl:7"}, std::chrono::seconds(60), {}},
            "Update it.",
            {}};
  }

  test::TempFolder own_;
  const fs::path& folder_ = own_.path();
  Witness witness_;
};

TEST_F(DriverTrials, AreMadeOnceAndKept) {
  program_does("echo check products >&3; echo done >&3");
  EXPECT_FALSE(known_result(subject()));
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(witness_.seen, "trial opencl:7; check products; works; ");
  EXPECT_EQ(known_result(subject())->trouble, "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache"), {}), 1);
}

TEST_F(DriverTrials, AFailureSaysWhatWhereAndTheCure) {
  program_does("echo check forests >&3; echo 'Assertion X' >&2; kill -ABRT $$");
  const TrialResult result = try_driver(subject());
  EXPECT_THAT(result.trouble, HasSubstr("SIGABRT in the check of forests (it says \"Assertion X\") (tried on 2"));
  EXPECT_THAT(result.hint, HasSubstr("Update it. \"overtake cache clear\""));
  EXPECT_THAT(witness_.seen, HasSubstr("fails; "));
  EXPECT_EQ(known_result(subject())->trouble, result.trouble);
}

TEST_F(DriverTrials, OtherKeysAreOtherDrivers) {
  program_does("echo done >&3");
  (void)try_driver(subject(1));
  EXPECT_FALSE(known_result(subject(2)));
}

TEST_F(DriverTrials, MoreIsFoundOutWhereThatIsPossible) {
  program_does("exit 3");
  TrialSubject asked = subject();
  asked.explain = [](const TrialRun& run, const auto&) { return "the second of two: " + run.reason; };
  EXPECT_THAT(try_driver(asked).trouble, HasSubstr("the second of two: its driver ends the process: exit code 3"));
}

TEST_F(DriverTrials, ErrorsThatMayPassAreNotKept) {
  program_does("echo error no memory >&3");
  EXPECT_THAT(try_driver(subject()).trouble, HasSubstr("no memory"));
  EXPECT_FALSE(fs::exists(folder_ / "cache") && !fs::is_empty(folder_ / "cache"));
}

TEST_F(DriverTrials, AProgramThatIsMissingOrForeignLocksNobodyOut) {
  EXPECT_EQ(try_driver(subject(1)).trouble, "");
  EXPECT_THAT(witness_.seen, HasSubstr("untried it cannot be tried: "));
  program_does("echo foreign >&3");
  EXPECT_EQ(try_driver(subject(2)).trouble, "");
  EXPECT_THAT(witness_.seen, HasSubstr("another version"));
  std::ofstream(folder_ / "program") << "#!/bin/sh\necho 'error while loading shared libraries: libx' >&2; exit 127\n";
  EXPECT_EQ(try_driver(subject(3)).trouble, "");
  EXPECT_THAT(witness_.seen, HasSubstr("does not run (it says \"error while loading shared libraries: libx\")"));
}

TEST_F(DriverTrials, FailuresUnderTheLimitsOfAShellAreNotKept) {
  program_does("exit 3");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{1 << 20, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  EXPECT_THAT(try_driver(subject()).trouble, HasSubstr("limits that may be the cause (ulimit -f"));
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(fs::is_empty(folder_ / "cache"));
}

TEST_F(DriverTrials, AFolderThatTakesNothingIsTold) {
  program_does("echo done >&3");
  ::setenv("OVERTAKE_CACHE_DIR", "/proc/nowhere", 1);
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_THAT(witness_.seen, HasSubstr("not kept in /proc/nowhere"));
}

TEST_F(DriverTrials, GivenUpIsAnErrorAndNoVerdict) {
  program_does("sleep 100");
  witness_.stopped = true;
  EXPECT_THROW((void)try_driver(subject()), DeviceError);
  EXPECT_FALSE(known_result(subject()));
}

TEST_F(DriverTrials, AreOffOrMadeAgainAsTheEnvironmentSays) {
  program_does("exit 1");
  ::setenv("OVERTAKE_TRIAL", "off", 1);
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_EQ(runs(), 0);
  ::setenv("OVERTAKE_TRIAL", "again", 1);
  EXPECT_NE(try_driver(subject()).trouble, "");
  EXPECT_NE(try_driver(subject()).trouble, "") << "this process knows";
  EXPECT_EQ(runs(), 1);
}

TEST_F(DriverTrials, WhatTheDoctorFindsCountsAndIsKeptAtTheNextUse) {
  program_does("echo check products >&3; echo wrong bad >&3");
  EXPECT_NE(try_driver(subject()).trouble, "");
  program_does("echo check products >&3; echo time 0.25 >&3; echo done >&3");
  std::string seen;
  const auto told = [&seen](const std::string& check) { seen += check; };
  const TrialRun run = try_now("opencl:7", subject().request, told, [] { return false; });
  EXPECT_EQ(run.kind, Kind::passed);
  EXPECT_EQ(seen, "products");
  ASSERT_EQ(run.checks.size(), 1U);
  EXPECT_EQ(run.checks[0].seconds, 0.25);
  EXPECT_EQ(known_result(subject())->trouble, "") << "the earlier failure counts no longer";
  EXPECT_EQ(runs(), 2);
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_EQ(try_driver(subject()).trouble, "");
  EXPECT_EQ(runs(), 2) << "the doctor's trial is the trial";
}

TEST_F(DriverTrials, TheDoctorsTrialCountsWhereTrialsAreOff) {
  program_does("exit 1");
  ::setenv("OVERTAKE_TRIAL", "off", 1);
  const auto quiet = [](const std::string&) {};
  EXPECT_EQ(try_now("opencl:7", subject().request, quiet, [] { return false; }).kind, Kind::failed);
  EXPECT_NE(known_result(subject())->trouble, "");
  EXPECT_NE(try_driver(subject()).trouble, "") << "a driver that has just failed must not be opened";
}

TEST_F(DriverTrials, AFailureOfTheDoctorsTrialHasItsFinding) {
  program_does("echo check products >&3; kill -ABRT $$");
  const auto quiet = [](const std::string&) {};
  EXPECT_EQ(try_now("opencl:7", subject().request, quiet, [] { return false; }).finding, "driver-aborts");
  EXPECT_EQ(known_result(subject())->finding, "driver-aborts");
  const TrialResult result = try_driver(subject());
  EXPECT_EQ(result.finding, "driver-aborts");
  EXPECT_THAT(result.hint, HasSubstr("Update it."));
  EXPECT_EQ(runs(), 1);
}

TEST(TrialJudgement, ReadsReportsAndEnds) {
  using End = platform::ChildEnd;
  constexpr auto patience = std::chrono::seconds(9);
  const auto judged = [&](const std::vector<const char*>& lines, const End& end) {
    TrialReport report;
    report.begun = true;
    for (const char* line : lines) (void)report.take(line);
    return judge(report, end, patience);
  };
  EXPECT_EQ(judged({"check a", "done"}, {}).kind, Kind::passed);
  EXPECT_EQ(judged({"check a"}, {}).kind, Kind::failed) << "it ended before its end";
  EXPECT_EQ(judged({"check a", "done"}, {End::Kind::exited, 1, {}, {}}).kind, Kind::failed);
  EXPECT_EQ(judged({"check a", "done"}, {End::Kind::crashed, 0, "SIGSEGV", {}}).kind, Kind::failed);
  EXPECT_THAT(judged({"check a", "done"}, {End::Kind::crashed, 0, "SIGSEGV", {}}).reason,
              HasSubstr("when it was to end"));
  EXPECT_EQ(judged({"check a"}, {End::Kind::destroyed, 0, "SIGKILL", {}}).kind, Kind::unclear)
      << "somebody else did that";
  TrialReport report;
  report.begun = report.take("check a");
  const End killed{End::Kind::destroyed, 0, "SIGKILL", {}};
  const TrialRun starved = judge(report, killed, patience, {14 << 20, "the control group", 30 << 20});
  EXPECT_EQ(starved.finding, "memory-low");
  EXPECT_THAT(starved.reason, HasSubstr("in the check of a for want of memory: 14 MiB are left by the control group, "
                                        "whose limit is 30 MiB"));
  EXPECT_THAT(hint_of(starved, "x"), HasSubstr("memory.max"));
  EXPECT_EQ(judge(report, killed, patience, {14 << 20, "ulimit -v", 0}).finding, "") << "that limit ends nothing";
  EXPECT_EQ(judge(report, killed, patience, {std::uint64_t{4} << 30, "the computer", 0}).finding, "");
  EXPECT_EQ(judged({"check a", "error x"}, {}).kind, Kind::unclear);
  EXPECT_EQ(judged({"foreign"}, {}).kind, Kind::not_started);
  EXPECT_EQ(judged({"check a"}, {End::Kind::stopped, 0, {}, {}}).kind, Kind::stopped);
  const TrialRun slow = judged({"check a"}, {End::Kind::timed_out, 0, {}, {}});
  EXPECT_EQ(slow.kind, Kind::timed_out);
  EXPECT_THAT(slow.reason, HasSubstr("9 s in the check of a"));
  const TrialRun wrong = judged({"check a", "wrong 1, not 2"}, {});
  EXPECT_EQ(wrong.kind, Kind::failed);
  EXPECT_EQ(wrong.reason, "it computes wrongly in the check of a: 1, not 2");
  EXPECT_EQ(wrong.finding, "wrong-results");
  EXPECT_EQ(slow.finding, "driver-hangs");
  EXPECT_EQ(judged({"check a", "error CUDA_ERROR_OUT_OF_MEMORY (2)"}, {}).finding, "no-device-memory");
  EXPECT_EQ(judged({"check a", "error x"}, {}).finding, "");
}

}  // namespace
}  // namespace overtake::backend
