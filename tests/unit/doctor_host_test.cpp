// SPDX-License-Identifier: MIT
// The doctor's look at the computer, in trees of files that stand for /proc, /sys and /dev.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "data_support.hpp"
#include "doctor/host.hpp"
#include "platform/host_limits.hpp"
#include "platform/surroundings.hpp"

namespace overtake::doctor {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DoctorHost : public ::testing::Test {
 protected:
  void put(const std::string& name, std::string_view content) {
    std::filesystem::create_directories((root_ / name).parent_path());
    (void)root_.file(name, content);
  }
  [[nodiscard]] std::string kind() const { return platform::container_kind(root_.path()); }
  test::TempFolder root_;
};

TEST_F(DoctorHost, KnowsContainersByWhatTheyLeave) {
  EXPECT_EQ(kind(), "");
  put("proc/self/cgroup", "0::/user.slice\n");
  EXPECT_EQ(kind(), "");
  put(".singularity.d/env", "");
  EXPECT_EQ(kind(), "singularity");
  put("run/.containerenv", "");
  EXPECT_EQ(kind(), "podman");
  put(".dockerenv", "");
  EXPECT_EQ(kind(), "docker");
  put("proc/self/cgroup", "0::/kubepods/burstable/pod1\n");
  EXPECT_EQ(kind(), "kubernetes");
}

TEST_F(DoctorHost, KnowsBothVersionsOfWsl) {
  put("proc/version", "Linux version 4.4.0-19041-Microsoft (gcc)");
  EXPECT_EQ(kind(), "wsl1");
  put("dev/dxg", "");
  EXPECT_EQ(kind(), "wsl2");
}

TEST_F(DoctorHost, TellsTheQuotaOfControlGroups) {
  EXPECT_EQ(platform::core_limits(root_.path()).quota, 0);
  put("proc/self/cgroup", "0::/job\n");
  put("sys/fs/cgroup/job/cpu.max", "50000 100000\n");
  const HostCheckup host = examine_host(root_.path());
  EXPECT_EQ(host.usable_cores, 1);
  EXPECT_THAT(host.limits, HasSubstr("quota of the control group: 0.5 cores"));
}

TEST_F(DoctorHost, ReadsWhichCodeIsLoaded) {
  put("proc/self/maps",
      "1000-2000 r--p 00000000 08:01 7   /usr/lib/liba.so\n"
      "2000-3000 r-xp 00001000 08:01 7   /usr/lib/liba.so\n"
      "3000-4000 r-xp 00001000 08:01 7   /usr/lib/liba.so\n"
      "4000-5000 r-xp 00000000 08:01 8   /opt/with space/libb.so.2\n"
      "5000-6000 r-xp 00000000 08:01 9   /tmp/gone.so (deleted)\n"
      "6000-7000 r-xp 00000000 00:00 0   [vdso]\n");
  EXPECT_THAT(platform::loaded_files(root_.path()), ElementsAre("/usr/lib/liba.so", "/opt/with space/libb.so.2"));
}

TEST_F(DoctorHost, CardsOfOtherMakersThatNobodyShowsAreANote) {
  put("sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
  put("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
  put("sys/bus/pci/devices/0000:00:03.0/vendor", "0x8086\n");
  put("sys/bus/pci/devices/0000:00:03.0/class", "0x020000\n");  // a network
  DeviceCheckup cpu;
  cpu.info.kind = DeviceKind::cpu;
  const auto findings = card_findings({cpu}, root_.path());
  ASSERT_THAT(findings, ElementsAre(Field(&Finding::id, "gpu-unused")));
  EXPECT_THAT(findings[0].cure, HasSubstr("intel-opencl-icd"));
  DeviceCheckup gpu;
  gpu.info.kind = DeviceKind::gpu;
  EXPECT_THAT(card_findings({cpu, gpu}, root_.path()), IsEmpty());
}

HostCheckup good_host() {
  HostCheckup host;
  host.hardware_threads = host.usable_cores = host.threads = 16;
  host.locked_memory_limit = std::numeric_limits<std::uint64_t>::max();
  return host;
}

TEST(DoctorHostFindings, NothingOfAGoodHost) { EXPECT_THAT(host_findings(good_host(), true), IsEmpty()); }

TEST(DoctorHostFindings, FewerCoresAreANoteAndThreadsBeyondThemAWarning) {
  HostCheckup host = good_host();
  host.usable_cores = host.threads = 2;
  host.limits = "cpu affinity: 2 of 16";
  auto findings = host_findings(host, false);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].id, "fewer-cores");
  EXPECT_EQ(findings[0].severity, Severity::note);
  EXPECT_EQ(findings[0].evidence, "cpu affinity: 2 of 16");
  host.threads = 8;
  findings = host_findings(host, false);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::warning);
  EXPECT_THAT(findings[0].cure, HasSubstr("--threads 2 with train, search and predict"));
}

TEST_F(DoctorHost, TellsWhatLeavesLittleMemory) {
  EXPECT_EQ(examine_host(root_.path()).usable_memory_bytes, 0U) << "unknown";
  put("proc/self/cgroup", "0::/job\n");
  put("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n");
  EXPECT_EQ(examine_host(root_.path()).memory_limit, "the computer");
  put("sys/fs/cgroup/job/memory.max", "100000000\n");
  put("sys/fs/cgroup/job/memory.current", "40000000\n");
  const HostCheckup host = examine_host(root_.path());
  EXPECT_EQ(host.usable_memory_bytes, 60000000U);
  const auto findings = host_findings(host, false);
  const auto low = std::find_if(findings.begin(), findings.end(), [](const auto& f) { return f.id == "memory-low"; });
  ASSERT_NE(low, findings.end());
  EXPECT_EQ(low->severity, Severity::warning);
  EXPECT_THAT(low->evidence, HasSubstr("57.2 MiB are left by the control group"));
}

TEST(DoctorHostFindings, LittleLockedMemoryMattersWithAGpu) {
  HostCheckup host = good_host();
  host.locked_memory_limit = 64 * 1024;
  const auto severity_with = [&host](bool has_gpu) { return host_findings(host, has_gpu).at(0).severity; };
  EXPECT_EQ(severity_with(true), Severity::warning);
  EXPECT_EQ(severity_with(false), Severity::note);
  EXPECT_EQ(host_findings(host, true)[0].id, "locked-memory-low");
  host.locked_memory_limit = 8 * 1024 * 1024;  // what systemd gives
  EXPECT_THAT(host_findings(host, true), IsEmpty());
}

TEST(DoctorHostFindings, WslIsSaid) {
  HostCheckup host = good_host();
  host.container = "wsl2";
  EXPECT_THAT(host_findings(host, false), ElementsAre(Field(&Finding::id, "wsl")));
}

}  // namespace
}  // namespace overtake::doctor
