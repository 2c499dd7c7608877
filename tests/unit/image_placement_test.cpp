// SPDX-License-Identifier: MIT
// Which part of an image a transform takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "data_support.hpp"
#include "image/placement.hpp"

namespace overtake::image {
namespace {

TEST(ImagePlacement, RandomPartsKeepToTheirBounds) {
  const ImageTransform transform = imagenet_training(8);
  int flips = 0;
  double areas = 0;
  std::set<std::tuple<int, int, int, int>> regions;
  constexpr int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const Placement placement = place(transform, {3, i, 5}, 300, 400, false);
    const Region& region = placement.cut.region;
    ASSERT_GE(region.top, 0);
    ASSERT_GE(region.left, 0);
    ASSERT_LE(region.top + region.height, 300);
    ASSERT_LE(region.left + region.width, 400);
    const double area = region.height * region.width / (300.0 * 400.0);
    const double ratio = static_cast<double>(region.width) / region.height;
    ASSERT_GT(area, 0.079);
    ASSERT_GT(ratio, 0.74);
    ASSERT_LT(ratio, 1.35);
    ASSERT_NEAR(placement.down.step, region.height / 8.0, 1e-9);
    areas += area;
    flips += placement.is_flipped ? 1 : 0;
    regions.insert({region.top, region.left, region.height, region.width});
  }
  EXPECT_NEAR(flips / static_cast<double>(draws), 0.5, 0.04);
  EXPECT_NEAR(areas / draws, 0.430, 0.015);  // less than the mean of 0.08 and 1: many large ones do not fit
  EXPECT_GT(regions.size(), draws * 0.99);
}

TEST(ImagePlacement, IsAFunctionOfSeedImageAndEpoch) {
  const ImageTransform transform = imagenet_training(8);
  const auto region = [&](const Draw& draw) {
    const Region all = place(transform, draw, 500, 500, false).cut.region;
    return std::tuple(all.top, all.left, all.height, all.width);
  };
  const auto first = region({1, 2, 3});
  EXPECT_EQ(first, region({1, 2, 3}));
  EXPECT_NE(first, region({2, 2, 3}));
  EXPECT_NE(first, region({1, 3, 3}));
  EXPECT_NE(first, region({1, 2, 4}));
  EXPECT_NE(first, region({1ULL << 40 | 1, 2, 3}));
}

TEST(ImagePlacement, LongImagesFallBackToTheMiddle) {
  const Region region = place(imagenet_training(8), {1, 2, 3}, 10, 4000, false).cut.region;
  EXPECT_EQ(region.height, 10);
  EXPECT_EQ(region.width, 13);
  EXPECT_EQ(region.left, (4000 - 13) / 2);
  const Region tall = place(imagenet_training(8), {1, 2, 3}, 4000, 9, false).cut.region;
  EXPECT_EQ(tall.width, 9);
  EXPECT_EQ(tall.height, 12);
}

TEST(ImagePlacement, PaddedPartsReachEveryPlace) {
  ImageTransform transform = plain(32, 32);
  transform.crop = ImageCrop::random;
  transform.padding = 4;
  std::set<long> tops;
  for (int i = 0; i < 400; ++i) {
    const Placement placement = place(transform, {1, i, 0}, 32, 32, false);
    tops.insert(std::lround(placement.cut.region.top + placement.down.start));
    EXPECT_EQ(placement.down.step, 1);
  }
  EXPECT_EQ(*tops.begin(), -4);
  EXPECT_EQ(*tops.rbegin(), 4);
  EXPECT_EQ(tops.size(), 9U);
  test::expect_error<DataError>([&] { (void)place(transform, {}, 23, 40, false); }, {"23 x 40", "32 x 32"});
}

TEST(ImagePlacement, ScaledDecodingKeepsEnoughPixels) {
  for (int side = 100; side < 4000; side += 77) {
    for (const ImageTransform& transform : {imagenet_training(96), imagenet_evaluation(96), plain(96, 96)}) {
      const Placement full = place(transform, {1, side, 0}, side, side + 31, false);
      const Placement scaled = place(transform, {1, side, 0}, side, side + 31, true);
      const int eighths = scaled.cut.eighths;
      EXPECT_EQ(full.cut.eighths, 8);
      const double smaller = std::min(full.down.step, full.across.step);
      EXPECT_TRUE(eighths == 8 || smaller * eighths / 8 >= 1);
      EXPECT_TRUE(eighths == 1 || smaller * eighths / 16 < 1) << "half of it would do";
      EXPECT_NEAR(scaled.down.step, full.down.step * eighths / 8, 0.1);
      EXPECT_LE(scaled.cut.region.top + scaled.cut.region.height, (side * eighths + 7) / 8);
    }
  }
}

TEST(ImagePlacement, OptionsOutOfRangeAreNamed) {
  using test::expect_error;
  const auto refused = [](auto change, const char* name) {
    ImageLoaderOptions options;
    change(options);
    expect_error<UsageError>([&] { options.check(); }, {name});
  };
  refused([](auto& o) { o.transform.height = 0; }, "height");
  refused([](auto& o) { o.transform.crop = ImageCrop::centre, o.transform.shorter_side = 100; }, "shorter side");
  refused([](auto& o) { o.transform.least_area = 2; }, "least area");
  refused([](auto& o) { o.transform.deviation[1] = 0; }, "deviation");
  refused([](auto& o) { o.transform.flip = std::nan(""); }, "flip");
  refused([](auto& o) { o.batch_size = 0; }, "batch size");
  refused([](auto& o) { o.channels = 4; }, "channels");
  refused([](auto& o) { o.padded_channels = 2; }, "padded channels");
  refused([](auto& o) { o.dtype = DType::float64; }, "float64");
  refused([](auto& o) { o.batches_ahead = 0; }, "batches ahead");
  EXPECT_NO_THROW(ImageLoaderOptions{}.check());
}

}  // namespace
}  // namespace overtake::image
