// SPDX-License-Identifier: MIT
#include "platform/child_process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace overtake::platform {
namespace {

using namespace std::chrono_literals;
using Kind = ChildEnd::Kind;

struct Script {
  ChildEnd end;
  std::vector<std::string> lines;
};

Script run_script(const std::string& script, std::chrono::milliseconds patience = 60s,
                  const std::function<bool()>& stop = {}) {
  Script run;
  run.end = run_child(
      {"/bin/sh", {"-c", script}, {"PATH=/usr/bin:/bin", "OVERTAKE_TEST_VALUE=as given"}}, patience,
      [&run](std::string_view line) { run.lines.emplace_back(line); }, stop);
  return run;
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

double seconds_of(const std::function<void()>& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(ChildProcess, GivesLinesAndExitCode) {
  const Script run = run_script("echo one >&3; echo hidden; printf 'two, %s' \"$OVERTAKE_TEST_VALUE\" >&3; exit 7");
  EXPECT_EQ(run.end.kind, Kind::exited);
  EXPECT_EQ(run.end.code, 7);
  EXPECT_EQ(run.lines, (std::vector<std::string>{"one", "two, as given"}));
  EXPECT_EQ(run.end.last_error, "");
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, TellsTheSignalAndTheLastWords) {
  const Script run = run_script("echo first >&2; echo 'Assertion failed' >&2; echo >&2; kill -ABRT $$");
  EXPECT_EQ(run.end.kind, Kind::crashed);
  EXPECT_EQ(run.end.signal, "SIGABRT");
  EXPECT_EQ(run.end.last_error, "Assertion failed");
  const int unnamed = SIGSTKFLT;
  EXPECT_EQ(run_script("kill -" + std::to_string(unnamed) + " $$").end.signal, "signal " + std::to_string(unnamed));
  for (const char* outside : {"KILL", "TERM", "INT", "ALRM", "USR1", "XFSZ", "QUIT"}) {
    EXPECT_EQ(run_script(std::string("kill -") + outside + " $$").end.kind, Kind::destroyed) << outside;
  }
}

TEST(ChildProcess, HasNoInputAndNoOtherFiles) {
  const Script run = run_script("read line && echo input >&3; ls /proc/self/fd >&3");
  // 0 to 3, and the one that ls reads the folder with.
  EXPECT_EQ(run.lines, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
}

TEST(ChildProcess, IsKilledWithItsOwnChildrenWhenItIsSilent) {
  Script run;
  EXPECT_LT(seconds_of([&run] { run = run_script("sleep 100 & echo $! >&3; wait", 300ms); }), 30);
  EXPECT_EQ(run.end.kind, Kind::timed_out);
  ASSERT_EQ(run.lines.size(), 1U);
  // The grandchild is gone, too, or will be when whoever inherits it looks.
  const pid_t grandchild = std::stoi(run.lines[0]);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    const Script state =
        run_script("grep -qs '^State:.[^Z]' /proc/" + std::to_string(grandchild) + "/status || echo gone >&3");
    gone = !state.lines.empty();
  }
  EXPECT_TRUE(gone);
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, LivesOnWhileItReports) {
  const Script run = run_script("for i in 1 2 3 4 5 6; do sleep 0.5; echo $i >&3; done", 2s);
  EXPECT_EQ(run.end.kind, Kind::exited);
  EXPECT_EQ(run.lines.size(), 6U);
}

TEST(ChildProcess, IsStoppedWhenAskedTo) {
  Script run;
  EXPECT_LT(seconds_of([&run] { run = run_script("sleep 100", 60s, [] { return true; }); }), 30);
  EXPECT_EQ(run.end.kind, Kind::stopped);
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, IsKilledWhenItsReaderThrows) {
  const auto refuse = [](std::string_view) { throw std::runtime_error("enough"); };
  EXPECT_LT(seconds_of([&] {
              EXPECT_THROW((void)run_child({"/bin/sh", {"-c", "echo a >&3; sleep 100"}, {}}, 60s, refuse, {}),
                           std::runtime_error);
            }),
            30);
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  EXPECT_THROW((void)run_child({"/nowhere/program", {}, {}}, 1s, [](std::string_view) {}, {}), std::system_error);
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace overtake::platform
