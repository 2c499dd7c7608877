// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "backend/common/caching_allocator.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

/// A driver with `capacity` bytes that remembers what it gave.
struct FakeDriver {
  std::size_t capacity = 1U << 30U;
  std::map<std::uintptr_t, std::size_t> blocks;
  std::uintptr_t next = 1;
  int allocations = 0;
  int releases = 0;

  [[nodiscard]] std::size_t used() const {
    std::size_t sum = 0;
    for (const auto& [handle, bytes] : blocks) sum += bytes;
    return sum;
  }
  CachingAllocator::Source source() {
    return {[this](std::size_t bytes) -> std::uintptr_t {
              if (used() + bytes > capacity) return 0;
              ++allocations;
              blocks[next] = bytes;
              return next++;
            },
            [this](std::uintptr_t handle) {
              ++releases;
              blocks.erase(handle);
            },
            "fake:0"};
  }
};

TEST(CachingAllocator, GivesBackBlocksOfTheSameSize) {
  FakeDriver driver;
  CachingAllocator allocator(driver.source());
  const auto first = allocator.allocate(1000);
  EXPECT_GE(first.bytes, 1000U);
  EXPECT_EQ(allocator.in_use(), first.bytes);
  allocator.give_back(first);
  EXPECT_EQ(allocator.in_use(), 0U);
  EXPECT_EQ(allocator.held(), first.bytes);
  const auto second = allocator.allocate(1020);
  EXPECT_EQ(second.handle, first.handle);
  EXPECT_EQ(driver.allocations, 1);
  allocator.give_back(second);
  allocator.trim();
  EXPECT_EQ(allocator.held(), 0U);
  EXPECT_TRUE(driver.blocks.empty());
}

TEST(CachingAllocator, BlockSizesWasteAtMostAnEighth) {
  EXPECT_EQ(CachingAllocator::block_size(0), 512U);
  EXPECT_EQ(CachingAllocator::block_size(512), 512U);
  EXPECT_EQ(CachingAllocator::block_size(513), 1024U);
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 34U); bytes = bytes * 5 / 3 + 1) {
    const std::size_t size = CachingAllocator::block_size(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_LE(size, bytes + std::max<std::size_t>(511, bytes / 8 + 1)) << bytes;
    EXPECT_EQ(CachingAllocator::block_size(size), size);
  }
}

TEST(CachingAllocator, LimitIsAnErrorThatNamesTheFigures) {
  FakeDriver driver;
  CachingAllocator allocator(driver.source());
  allocator.set_limit(4096);
  const auto block = allocator.allocate(2048);
  try {
    (void)allocator.allocate(4096);
    FAIL() << "the limit was ignored";
  } catch (const DeviceError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("fake:0"), std::string::npos) << text;
    EXPECT_NE(text.find("need 4.0 KiB"), std::string::npos) << text;
    EXPECT_NE(text.find("limit 4.0 KiB"), std::string::npos) << text;
    EXPECT_NE(text.find("held 2.0 KiB"), std::string::npos) << text;
    EXPECT_NE(error.hint().find("--memory-limit"), std::string::npos);
  }
  allocator.give_back(block);
  allocator.trim();
}

TEST(CachingAllocator, ReleasesCachedBlocksBeforeItFails) {
  FakeDriver driver;
  driver.capacity = 8192;
  CachingAllocator allocator(driver.source());
  allocator.give_back(allocator.allocate(6144));
  const auto block = allocator.allocate(8192);  // only fits once the cached block is gone
  EXPECT_EQ(driver.releases, 1);
  EXPECT_EQ(allocator.peak(), 8192U);
  EXPECT_THROW((void)allocator.allocate(512), DeviceError);
  allocator.give_back(block);

  allocator.set_limit(8192);
  const auto small = allocator.allocate(1024);  // cached 8 KiB must go to stay under the limit
  EXPECT_LE(allocator.held(), 8192U);
  EXPECT_LE(driver.used(), 8192U);
  allocator.give_back(small);
}

TEST(CachingAllocator, LoweringTheLimitReleasesWhatIsCached) {
  FakeDriver driver;
  CachingAllocator allocator(driver.source());
  const auto kept = allocator.allocate(1024);
  allocator.give_back(allocator.allocate(1U << 20U));
  allocator.set_limit(2048);
  EXPECT_EQ(allocator.held(), kept.bytes);
  EXPECT_EQ(allocator.limit(), 2048U);
  allocator.give_back(kept);
}

}  // namespace
}  // namespace overtake::backend
