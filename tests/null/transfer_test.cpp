// SPDX-License-Identifier: MIT
// Counts that cannot be wrong: bytes up and down, and launches, of known programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "backend/api/device.hpp"
#include "overtake/ops.hpp"
#include "overtake/profile.hpp"
#include "overtake/report_transfers.hpp"
#include "overtake/stream.hpp"
#include "overtake/transfer.hpp"

namespace overtake {
namespace {

DeviceTransfers of_null(const TransferStats& stats) {
  for (const DeviceTransfers& each : stats.devices) {
    if (each.device == "null") return each;
  }
  return {};
}

TEST(TransferStats, CountsEachCopyOnce) {
  const Device device("null");
  const TransferStats before = transfer_stats();
  const Array a = Array::from(std::vector<float>(100), {10, 10}, device);
  const Array b = Array::from(std::vector<double>(7), {7}, device);
  (void)(a + a).to_vector<float>();
  (void)sum(b).item<double>();
  const TransferStats stats = transfers_since(before);
  const Transfers of = of_null(stats).transfers;
  EXPECT_EQ(of.uploads, 2U);
  EXPECT_EQ(of.upload_bytes, 400U + 56U);
  EXPECT_EQ(of.downloads, 2U);
  EXPECT_EQ(of.download_bytes, 400U + 8U);
  EXPECT_EQ(stats.total.upload_bytes, of.upload_bytes) << "no other device was used";
  EXPECT_THAT(to_text(stats), ::testing::StartsWith("copied 456 B to null in "));
  EXPECT_THAT(to_text(stats), ::testing::HasSubstr(", 408 B back in "));
  EXPECT_THAT(report::transfers_json(stats).dump(), ::testing::HasSubstr("\"upload_bytes\": 456"));
}

TEST(TransferStats, ResetBeginsAnewAndDevicesKeepTheirCounts) {
  const Device device("null");
  (void)Array::from(std::vector<float>(3), {3}, device);
  const std::uint64_t ever = device.transfers().upload_bytes;
  reset_transfer_stats();
  EXPECT_EQ(of_null(transfer_stats()).transfers.uploads, 0U);
  EXPECT_EQ(to_text(transfer_stats()), "");
  (void)Array::from(std::vector<float>(5), {5}, device);
  EXPECT_EQ(of_null(transfer_stats()).transfers.upload_bytes, 20U);
  EXPECT_EQ(device.transfers().upload_bytes, ever + 20);
}

TEST(TransferStats, TheCpuIsNotInTheTotal) {
  const TransferStats before = transfer_stats();
  (void)Array::from(std::vector<float>(50), {50}, Device("cpu")).to_vector<float>();
  const TransferStats stats = transfers_since(before);
  EXPECT_EQ(stats.total.upload_bytes, 0U);
  EXPECT_EQ(to_text(stats), "");
  for (const DeviceTransfers& each : stats.devices) {
    if (each.device != "cpu") continue;
    EXPECT_TRUE(each.is_host);
    EXPECT_EQ(each.transfers.upload_bytes, 200U);
    EXPECT_EQ(each.transfers.download_bytes, 200U);
  }
}

TEST(TransferStats, CopiesThatNobodyWaitsForCountToo) {
  const Device device("null");
  const TransferStats before = transfer_stats();
  const PinnedBuffer memory(4096, device);
  const Array a = upload_async(memory, DType::float32, {32, 32});
  download_async(a, memory).synchronize();
  const Transfers of = of_null(transfers_since(before)).transfers;
  EXPECT_EQ(of.upload_bytes, 4096U);
  EXPECT_EQ(of.download_bytes, 4096U);
}

TEST(ProfileOfNull, ListsEachLaunchWithItsBytes) {
  const Device device("null");
  const Array a = Array::from(std::vector<float>(64 * 32), {64, 32}, device);
  const Array b = Array::from(std::vector<float>(32 * 16), {32, 16}, device);
  Profile profile;
  matmul(a, b).eval();
  (a * 2.0F + 1.0F).eval();
  (void)sum(b).item();
  profile.stop();
  (a - 1.0F).eval();
  const std::vector<ProfileEntry> entries = profile.entries();
  ASSERT_EQ(entries.size(), 4U) << "three operations, and the sum comes back";
  EXPECT_EQ(entries[0].flops, 2.0 * 64 * 32 * 16);
  EXPECT_EQ(entries[0].bytes_read, 4U * (64 * 32 + 32 * 16));
  EXPECT_EQ(entries[0].bytes_written, 4U * 64 * 16);
  EXPECT_EQ(entries[1].bytes_read, 4U * 64 * 32) << "fused: one pass";
  EXPECT_EQ(entries[1].bytes_written, 4U * 64 * 32);
  EXPECT_EQ(entries[2].bytes_read, 4U * 32 * 16);
  EXPECT_EQ(entries[2].bytes_written, 4U);
  EXPECT_EQ(entries[3].kind, ProfileEntry::Kind::download);
  EXPECT_EQ(entries[3].bytes_read, 4U);
  for (const ProfileEntry& entry : entries) {
    EXPECT_EQ(entry.device, "null");
    EXPECT_FALSE(entry.name.empty());
    EXPECT_GE(entry.start, 0);
    EXPECT_LE(entry.start + entry.seconds, profile.seconds());
  }
  EXPECT_THAT(profile.to_string(), ::testing::HasSubstr("3 launches in "));
  EXPECT_THAT(profile.to_string(), ::testing::HasSubstr("1 copy of 4 B in "));
}

TEST(ProfileOfNull, ProfilesInEachOtherBothListen) {
  const Array a = ones({8}, Device("null"));
  Profile outer;
  {
    const Profile inner;
    (a + 1.0F).eval();
    EXPECT_EQ(inner.entries().size(), 1U);
  }
  (a + 2.0F).eval();
  EXPECT_EQ(outer.entries().size(), 2U);
}

}  // namespace
}  // namespace overtake
