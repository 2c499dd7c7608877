// SPDX-License-Identifier: MIT
// The executor finds the faults that were planted for it, and none where there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor.hpp"
#include "executor/executor_device.hpp"

namespace overtake::executor {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t groups = 4;
constexpr std::uint32_t items = 32;

/// Runs a planted kernel on `out`, and a counter or the number of work-items where it takes them.
void run(const std::string& name, bool takes_out, bool takes_counter, bool takes_count) {
  ExecutorDevice device(5);
  const auto out = device.allocate(std::size_t{2} * groups * items * 4);
  const auto counter = device.allocate(4);
  const std::int32_t zero = 0;
  device.upload(*counter, 0, &zero, 4);
  std::vector<backend::KernelArgument> arguments;
  if (takes_out) arguments.emplace_back(out.get());
  if (takes_counter) arguments.emplace_back(counter.get());
  if (takes_count) arguments.emplace_back(static_cast<std::int32_t>(groups * items));
  device.build({.source = {}, .defines = {}, .name = "planted"})
      ->kernel(name)
      ->launch({{groups, 1, 1}, {items, 1, 1}}, arguments);
}

const std::vector<std::string>& findings() { return Executor::instance().findings(); }

TEST(Executor, FindsNothingInASoundKernel) {
  run("sound", true, true, false);
  EXPECT_THAT(findings(), IsEmpty());
  EXPECT_THAT(Executor::instance().barriers(), IsEmpty());
}

TEST(Executor, FindsAMissingBarrier) {
  run("forgets_barrier", true, false, false);
  EXPECT_THAT(findings(), Contains(HasSubstr("forgets_barrier: work-item")));
}

TEST(Executor, FindsWritesOfDifferentValues) {
  run("writes_beside", true, false, false);
  EXPECT_THAT(findings(), Contains(HasSubstr("writes another value")));
}

TEST(Executor, FindsAReadOfAnotherGroupsWork) {
  run("reads_other_group", true, false, true);
  EXPECT_THAT(findings(), Contains(HasSubstr("buffer")));
}

TEST(Executor, FindsAPlainWriteBesideAtomics) {
  run("mixes_atomics", false, true, false);
  EXPECT_THAT(findings(), Contains(AnyOf(HasSubstr("atomic"), HasSubstr("adds to what is written"))));
}

TEST(Executor, FindsAReadOfWhatNobodyWrote) {
  run("reads_rubbish", true, false, false);
  EXPECT_THAT(findings(), Contains(HasSubstr("reads what nothing was written to")));
}

TEST(Executor, FindsABarrierThatSomeDoNotReach) {
  run("parts_ways", true, false, false);
  EXPECT_THAT(Executor::instance().barriers(), Contains(HasSubstr("ended where others wait")));
}

}  // namespace
}  // namespace overtake::executor
