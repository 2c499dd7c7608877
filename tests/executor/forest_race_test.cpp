// SPDX-License-Identifier: MIT
// The forest kernels have no race, read nothing unwritten, meet at every barrier, and grow the plain grower's trees,
// whatever the order of groups and work-items.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "executor/executor.hpp"
#include "executor/executor_device.hpp"
#include "forest/device/grower.hpp"
#include "oracle/forest_work.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest::testing {
namespace {

TEST(ForestKernels, HaveNoRace) {
  for (std::uint32_t seed = 1; seed <= 24 && !HasFailure(); ++seed) {
    SCOPED_TRACE("problem " + std::to_string(seed));
    executor::ExecutorDevice device(seed);
    const Work work = random_work(seed);
    KernelTuning tuning;
    tuning.large_rows = static_cast<std::int32_t>(seed % 4 == 0 ? 4096 : 2 + seed % 30);
    compare(*make_kernel_grower(device, work.problem, 0, tuning), work, grow_plainly(work));
    EXPECT_THAT(executor::Executor::instance().findings(), ::testing::IsEmpty());
    EXPECT_THAT(executor::Executor::instance().barriers(), ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace overtake::forest::testing
