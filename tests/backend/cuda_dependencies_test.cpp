// SPDX-License-Identifier: MIT
// Which graph nodes wait for which. Needs no GPU.
#include "backend/cuda/driver/dependencies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "backend/cuda/run/graph_builder.hpp"
#include "backend/cuda/run/scratch_plan.hpp"

namespace overtake::backend::cuda {
namespace {

using Waits = std::vector<std::vector<int>>;

MemoryRange block(std::uint64_t number) { return {number * 100, number * 100 + 100}; }

TEST(CudaDependencies, ReadWaitsForTheLastWriter) {
  const std::vector<MemoryUse> steps{{{}, {block(1)}}, {{}, {block(2)}}, {{block(1)}, {block(3)}}};
  EXPECT_EQ(find_dependencies(steps, 1), (Waits{{}, {}, {0}}));
}

TEST(CudaDependencies, WriteWaitsForReadersAndWriter) {
  // 0 writes A; 1 and 2 read A; 3 overwrites A: it waits for both readers, and through them for 0.
  const std::vector<MemoryUse> steps{
      {{}, {block(1)}}, {{block(1)}, {block(2)}}, {{block(1)}, {block(3)}}, {{}, {block(1)}}};
  EXPECT_EQ(find_dependencies(steps, 1), (Waits{{}, {0}, {0}, {1, 2}}));
}

TEST(CudaDependencies, PartOverlapCounts) {
  const std::vector<MemoryUse> steps{{{}, {{0, 100}}}, {{}, {{200, 300}}}, {{{99, 201}}, {}}, {{{100, 200}}, {}}};
  EXPECT_EQ(find_dependencies(steps, 1), (Waits{{}, {}, {0, 1}, {}}));
}

TEST(CudaDependencies, TouchingRangesAreIndependent) {
  const std::vector<MemoryUse> steps{{{}, {{0, 100}}}, {{{100, 200}}, {{200, 300}}}};
  EXPECT_EQ(find_dependencies(steps, 1), (Waits{{}, {}}));
}

TEST(CudaDependencies, InPlaceUpdateDoesNotWaitForItself) {
  const std::vector<MemoryUse> steps{{{block(1)}, {block(1)}}};
  EXPECT_EQ(find_dependencies(steps, 3), (Waits{{}, {0}, {1}}));
}

TEST(CudaDependencies, EmptyRangesAreIgnored) {
  const std::vector<MemoryUse> steps{{{}, {{5, 5}}}, {{{5, 5}}, {}}};
  EXPECT_EQ(find_dependencies(steps, 1), (Waits{{}, {}}));
}

TEST(CudaDependencies, WeightGradientRunsBesideInputGradient) {
  // forward(W, x -> y), dX(W, dy -> dx), dW(x, dy, W -> W): dX must precede the in-place dW, the next forward waits for
  // dW only, and dX's result is free to be used at once.
  const MemoryRange w = block(1), x = block(2), y = block(3), dy = block(4), dx = block(5), before = block(6);
  const std::vector<MemoryUse> steps{
      {{w, x}, {y}},      // 0 forward
      {{y}, {dy}},        // 1 loss gradient
      {{w, dy}, {dx}},    // 2 input gradient
      {{x, dy, w}, {w}},  // 3 weight gradient and update
      {{dx}, {before}},   // 4 gradient of the layer before
  };
  const Waits waits = find_dependencies(steps, 2);
  EXPECT_EQ(waits[3], (std::vector<int>{2}));
  EXPECT_EQ(waits[4], (std::vector<int>{2}));
  // The second forward waits for the update and for whoever read the old y, which the update already implies.
  EXPECT_EQ(waits[5], (std::vector<int>{3}));
}

TEST(CudaDependencies, LongestPathCountsSteps) {
  EXPECT_EQ(longest_path(Waits{{}, {0}, {0}, {1, 2}}), 4 - 1);
  EXPECT_EQ(longest_path(chain_dependencies(5, 2)), 10);
  EXPECT_EQ(longest_path(Waits{}), 0);
}

/// Every pair of steps that touch a common byte, one of them writing, must be ordered; and no wait may be implied by
/// others.
void expect_exact(const std::vector<MemoryUse>& steps, int copies) {
  const Waits waits = find_dependencies(steps, copies);
  const std::size_t total = waits.size();
  ASSERT_EQ(total, steps.size() * static_cast<std::size_t>(copies));
  std::vector<std::vector<bool>> before(total, std::vector<bool>(total, false));
  for (std::size_t i = 0; i < total; ++i) {
    for (const int wait : waits[i]) {
      ASSERT_LT(wait, static_cast<int>(i));
      before[i][wait] = true;
      for (std::size_t j = 0; j < total; ++j) before[i][j] = before[i][j] || before[wait][j];
    }
  }
  const auto overlap = [](const std::vector<MemoryRange>& a, const std::vector<MemoryRange>& b) {
    return std::any_of(a.begin(), a.end(), [&](const MemoryRange& x) {
      return std::any_of(b.begin(), b.end(), [&](const MemoryRange& y) { return x.begin < y.end && y.begin < x.end; });
    });
  };
  for (std::size_t i = 0; i < total; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const MemoryUse& late = steps[i % steps.size()];
      const MemoryUse& early = steps[j % steps.size()];
      const bool conflict =
          overlap(late.writes, early.writes) || overlap(late.reads, early.writes) || overlap(late.writes, early.reads);
      EXPECT_TRUE(!conflict || before[i][j]) << "step " << i << " must wait for " << j;
    }
    for (const int a : waits[i]) {
      for (const int b : waits[i]) EXPECT_FALSE(before[a][b]) << "wait " << b << " of step " << i << " is implied";
    }
  }
}

TEST(CudaDependencies, RandomPlansAreExactlyOrdered) {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same plans every time
  const auto range = [&] {
    const std::uint64_t begin = random() % 40;
    return MemoryRange{begin, begin + 1 + random() % 8};
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<MemoryUse> steps(1 + random() % 9);
    for (MemoryUse& step : steps) {
      for (std::size_t n = random() % 3; n > 0; --n) step.reads.push_back(range());
      for (std::size_t n = 1 + random() % 2; n > 0; --n) step.writes.push_back(range());
    }
    expect_exact(steps, 1 + static_cast<int>(random() % 4));
  }
}

TEST(CudaScratchPlan, DifferentHeadsNeverShareMemory) {
  const std::vector<ScratchRequest> requests{{1000, 64}, {500, 0}, {4000, 64}, {300, 128}, {700, 64}, {0, 0}};
  const ScratchPlan plan = plan_scratch(requests, 2);
  ASSERT_EQ(plan.offsets.size(), requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % 256, 0U);
    EXPECT_LE(plan.offsets[i] + requests[i].bytes, plan.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      if (requests[i].zeroed_bytes == requests[j].zeroed_bytes || requests[i].bytes == 0 || requests[j].bytes == 0)
        continue;
      const bool apart = plan.offsets[i] + requests[i].bytes <= plan.offsets[j] ||
                         plan.offsets[j] + requests[j].bytes <= plan.offsets[i];
      EXPECT_TRUE(apart) << i << " and " << j;
    }
  }
  EXPECT_NE(plan.offsets[0], plan.offsets[2]);  // neighbours of a class can run side by side
  EXPECT_EQ(plan.offsets[0], plan.offsets[4]);  // two lanes only
  // Each zeroed head is among the stretches to clear.
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].zeroed_bytes == 0) continue;
    const bool cleared = std::any_of(plan.zeroed.begin(), plan.zeroed.end(), [&](const MemoryRange& range) {
      return range.begin == plan.offsets[i] && range.end == plan.offsets[i] + requests[i].zeroed_bytes;
    });
    EXPECT_TRUE(cleared) << i;
  }
}

TEST(CudaScratchPlan, LargeRequestsShareOneLane) {
  const std::vector<ScratchRequest> requests(10, ScratchRequest{12ULL << 20U, 0});
  EXPECT_EQ(plan_scratch(requests).bytes, 12ULL << 20U);
}

TEST(CudaScratchPlan, NothingAskedNothingPlanned) {
  const std::vector<ScratchRequest> requests(3);
  EXPECT_EQ(plan_scratch(requests).bytes, 0U);
  EXPECT_EQ(plan_scratch(requests).offsets.size(), 3U);
}

TEST(CudaGraphs, RunsAreSplitIntoFewGraphs) {
  EXPECT_EQ(split_runs(0, 16), std::vector<int>{});
  EXPECT_EQ(split_runs(10, 16), std::vector<int>{10});
  EXPECT_EQ(split_runs(35, 16), (std::vector<int>{16, 16, 3}));
  EXPECT_EQ(split_runs(3, 1), (std::vector<int>{1, 1, 1}));
}

TEST(CudaGraphs, LargePlansAreUnrolledLess) {
  EXPECT_EQ(largest_unrolling(10), 16);
  EXPECT_EQ(largest_unrolling(500), 4);
  EXPECT_EQ(largest_unrolling(5000), 1);
  EXPECT_EQ(largest_unrolling(0), 16);
}

}  // namespace
}  // namespace overtake::backend::cuda
