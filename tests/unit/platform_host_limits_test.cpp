// SPDX-License-Identifier: MIT
// What the process may use of a computer, read from made-up /proc and /sys.
#include "platform/host_limits.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "data_support.hpp"

namespace overtake::platform {
namespace {

class HostLimits : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  [[nodiscard]] std::uint64_t memory() const { return usable_memory(folder_.path()); }
  [[nodiscard]] int cores() const { return usable_cores(folder_.path()); }

 private:
  test::TempFolder folder_;
};

constexpr std::uint64_t kib = 1024;

TEST_F(HostLimits, WithoutALimitAllThatIsAvailable) {
  write("proc/meminfo", "MemTotal:       16000 kB\nMemFree:  1 kB\nMemAvailable:    8000 kB\n");
  EXPECT_EQ(memory(), 8000 * kib);
  EXPECT_GE(cores(), 1);
}

TEST_F(HostLimits, GroupsOfVersionTwoCount) {
  write("proc/meminfo", "MemAvailable:    8000 kB\n");
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  EXPECT_EQ(memory(), 8000 * kib);
  write("sys/fs/cgroup/outer/memory.max", "4096000\n");
  write("sys/fs/cgroup/outer/memory.current", "3000000\n");
  write("sys/fs/cgroup/outer/memory.stat", "anon 1\ninactive_file 500000\n");
  EXPECT_EQ(memory(), 4096000U - 2500000U) << "files in memory can be dropped";
  write("sys/fs/cgroup/memory.max", "1000000\n");
  write("sys/fs/cgroup/memory.current", "1000001\n");
  EXPECT_EQ(memory(), 0U);
}

TEST_F(HostLimits, GroupsOfVersionOneCount) {
  write("proc/meminfo", "MemAvailable:    8000 kB\n");
  write("proc/self/cgroup", "9:name=systemd:/x\n4:memory:/seen/from/outside\n2:cpu,cpuacct:/\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "77\n");
  EXPECT_EQ(memory(), 8000 * kib);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "400000\n");
  EXPECT_EQ(memory(), 600000U) << "a container sees its own group at the top";
}

TEST_F(HostLimits, QuotasOfTimeAreCores) {
  write("proc/self/cgroup", "0::/a\n2:cpu,cpuacct:/b\n");
  const int all = cores();
  write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(), all);
  write("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(cores(), 1);
  write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(), all);
  write("sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(cores(), 1);
  write("sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "900000000\n");
  EXPECT_EQ(cores(), all) << "a quota gives no cores that are not there";
}

TEST(HostLimitsHere, AreKnown) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_GT(usable_memory(), std::uint64_t{1} << 20);
  EXPECT_LT(usable_memory(), std::uint64_t{1} << 50);
}

}  // namespace
}  // namespace overtake::platform
