// SPDX-License-Identifier: MIT
// Every grower against the plain one: trees bit for bit, and what views of them score.
#include <gtest/gtest.h>

#include "backend/api/device.hpp"
#include "forest/device/grower.hpp"
#include "forest/host/grower.hpp"
#include "oracle/devices.hpp"
#include "oracle/forest_work.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"

namespace overtake::forest::testing {
namespace {

class ForestOracle : public oracle::OnEveryDevice {};

void compare_with_kernels(backend::Device& processor, std::uint32_t seed, bool soft_real) {
  SCOPED_TRACE("problem " + std::to_string(seed));
  const Work work = random_work(seed);
  KernelTuning tuning;
  // Nodes of more than these rows are grown level by level.
  tuning.large_rows = static_cast<std::int32_t>(seed % 3 == 0 ? 4096 : 2 + seed % 30);
  tuning.soft_real = soft_real;
  compare(*make_kernel_grower(processor, work.problem, 0, tuning), work, grow_plainly(work));
}

TEST_P(ForestOracle, TreesAndScores) {
  backend::Device& processor = backend::open_device(GetParam().id);
  for (std::uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    if (!processor.is_host()) {
      compare_with_kernels(processor, seed, false);
      continue;
    }
    SCOPED_TRACE("problem " + std::to_string(seed));
    const Work work = random_work(seed);
    compare(*make_host_grower(work.problem, 0), work, grow_plainly(work));
  }
}

// As on devices that have no double precision.
TEST_P(ForestOracle, TreesAndScoresFromWholeNumbers) {
  backend::Device& processor = backend::open_device(GetParam().id);
  if (processor.is_host()) GTEST_SKIP() << "the CPU has double precision";
  try {
    (void)processor.build(
        {.source = "KERNEL void nothing(GLOBAL float* x) { x[0] = 0.0f; }", .defines = {}, .name = {}});
  } catch (const DeviceError& error) {
    GTEST_SKIP() << error.what();  // these kernels are never compiled ahead
  }
  for (std::uint32_t seed = 1; seed <= 30 && !HasFailure(); ++seed) compare_with_kernels(processor, seed, true);
}

INSTANTIATE_TEST_SUITE_P(Devices, ForestOracle, ::testing::ValuesIn(list_devices()), oracle::device_name);

}  // namespace
}  // namespace overtake::forest::testing
