// SPDX-License-Identifier: MIT
// Batches: the same whatever the threads, in bounded memory, and what broken files do to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "image_support.hpp"
#include "overtake/array.hpp"

namespace overtake {
namespace {

using test::expect_error, test::image_folder, test::TempFolder;
using ::testing::ElementsAre, ::testing::SizeIs;

ImageLoaderOptions small_options(int threads) {
  ImageLoaderOptions options;
  options.transform = imagenet_training(16);
  options.batch_size = 7;
  options.threads = threads;
  options.seed = 5;
  return options;
}

struct Epoch {
  std::vector<std::int64_t> images;
  std::vector<std::int32_t> labels;
  std::vector<float> values;
  std::vector<std::int64_t> sizes;  ///< of the batches
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

Epoch run(ImageLoader& loader, std::int64_t number) {
  Epoch epoch;
  loader.begin_epoch(number);
  while (const auto batch = loader.next()) {
    epoch.images.insert(epoch.images.end(), batch->images.begin(), batch->images.end());
    epoch.labels.insert(epoch.labels.end(), batch->labels.begin(), batch->labels.end());
    epoch.sizes.push_back(batch->size());
    const std::vector<float> values = batch->inputs().to_vector<float>();
    epoch.values.insert(epoch.values.end(), values.begin(), values.end());
  }
  return epoch;
}

Epoch run(const ImageSet& set, const ImageLoaderOptions& options, std::int64_t number = 0) {
  ImageLoader loader(set, options, "cpu");
  return run(loader, number);
}

TEST(ImageLoaderTest, ThreadsChangeNothing) {
  const TempFolder folder;
  const ImageSet set = ImageSet::from_folder(image_folder(folder, 3, 11));
  const Epoch one = run(set, small_options(1));
  EXPECT_THAT(one.sizes, ElementsAre(7, 7, 7, 7, 5));
  std::vector<std::int64_t> sorted = one.images;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < set.size(); ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    EXPECT_EQ(one.labels[i], set.labels()[static_cast<std::size_t>(one.images[i])]);
  for (const int threads : {3, 8}) EXPECT_EQ(run(set, small_options(threads)), one) << threads;
  ImageLoaderOptions tight = small_options(3);
  tight.batches_ahead = 1;
  tight.memory_bytes = 1;  // a batch at a time
  EXPECT_EQ(run(set, tight), one);
}

// An image's input does not depend on which batch it is in.
TEST(ImageLoaderTest, EpochsDifferAndBatchSizesDoNot) {
  const TempFolder folder;
  const ImageSet set = ImageSet::from_folder(image_folder(folder, 2, 8));
  ImageLoader loader(set, small_options(2), "cpu");
  const Epoch first = run(loader, 0), second = run(loader, 1);
  EXPECT_NE(first.images, second.images);
  EXPECT_EQ(run(loader, 0), first);
  EXPECT_EQ(run(set, small_options(2), 1), second);
  ImageLoaderOptions larger = small_options(2);
  larger.batch_size = 100;
  Epoch whole = run(set, larger);
  EXPECT_THAT(whole.sizes, ElementsAre(16));
  whole.sizes = first.sizes;
  EXPECT_EQ(whole, first);
  ImageLoaderOptions in_order = small_options(2);
  in_order.shuffle = false;
  in_order.drop_last = true;
  const Epoch ordered = run(set, in_order);
  EXPECT_THAT(ordered.sizes, ElementsAre(7, 7));
  EXPECT_TRUE(std::is_sorted(ordered.images.begin(), ordered.images.end()));
  EXPECT_EQ(ImageLoader(set, in_order, "cpu").batches_per_epoch(), 2);
  EXPECT_EQ(loader.batches_per_epoch(), 3);
}

TEST(ImageLoaderTest, MemoryIsBounded) {
  const TempFolder folder;
  std::vector<std::filesystem::path> files;
  const std::string bytes = test::png_bytes(test::random_image(100, 100, 3, 1));
  for (int i = 0; i < 60; ++i) files.push_back(folder.file(std::to_string(i) + ".png", bytes));
  ImageLoaderOptions options = small_options(3);
  options.transform = plain(4, 4);
  constexpr std::uint64_t image = 100 * 100 * 3;
  const auto peak = [&] {
    ImageLoader loader(ImageSet::from_files(files), options, "cpu");
    const Epoch epoch = run(loader, 0);
    EXPECT_THAT(epoch.images, SizeIs(60));
    EXPECT_TRUE(epoch.labels.empty());
    EXPECT_EQ(loader.stats().images, 60);
    EXPECT_EQ(loader.stats().batches, 9);
    EXPECT_EQ(loader.stats().bytes, 60 * image);
    return loader.stats().peak_bytes;
  };
  // Batches that are ready, one that is filled, and an image a thread.
  EXPECT_LE(peak(), (3 * 7 + 3) * image);
  options.memory_bytes = 10 * image;
  EXPECT_LE(peak(), (10 + 3) * image);
  options.memory_bytes = 0;
  EXPECT_LE(peak(), 7 * image);
}

TEST(ImageLoaderTest, BrokenFilesAreNamedOnceTheirTurnComes) {
  const TempFolder folder;
  const auto path = image_folder(folder, 2, 10);
  const auto broken = folder.file("photos/b/3.png", test::png_bytes(test::random_image(30, 30, 3, 1)).substr(0, 500));
  const auto text = folder.file("photos/b/1.jpg", "no image at all");
  const ImageSet set = ImageSet::from_folder(path);
  ImageLoaderOptions options = small_options(4);
  options.shuffle = false;
  options.batch_size = 5;
  ImageLoader loader(set, options, "cpu");
  for (int round = 0; round < 3; ++round) {
    loader.begin_epoch(round);
    EXPECT_TRUE(loader.next());
    EXPECT_TRUE(loader.next());
    expect_error<DataError>([&] { (void)loader.next(); }, {text.string(), "skipped"});
    EXPECT_THROW((void)loader.next(), DataError);
  }
  options.on_broken = OnBroken::skip;
  ImageLoader skipping(set, options, "cpu");
  const Epoch epoch = run(skipping, 0);
  EXPECT_THAT(epoch.sizes, ElementsAre(5, 5, 5, 3));
  static_cast<void>(run(skipping, 1));
  const std::vector<std::string> skipped = skipping.skipped();
  ASSERT_THAT(skipped, SizeIs(2));
  EXPECT_NE(skipped[0].find(text.string()), std::string::npos);
  EXPECT_NE(skipped[1].find(broken.string()), std::string::npos);
  options.threads = 1;
  EXPECT_EQ(run(set, options), epoch);
}

TEST(ImageLoaderTest, NothingButBrokenFilesIsAnEmptyEpoch) {
  const TempFolder folder;
  ImageLoaderOptions options = small_options(2);
  options.on_broken = OnBroken::skip;
  ImageLoader loader(ImageSet::from_files({folder.file("a.png", ""), folder / "none.jpg"}), options, "cpu");
  EXPECT_FALSE(loader.next()) << "before the first epoch";
  EXPECT_THAT(run(loader, 0).sizes, SizeIs(0));
  EXPECT_THAT(loader.skipped(), SizeIs(2));
  EXPECT_THROW(ImageLoader(ImageSet::from_files({}), options, "cpu"), UsageError);
  EXPECT_THROW(loader.begin_epoch(-1), UsageError);
}

// Destroyed, or sent to another epoch, at every point.
TEST(ImageLoaderTest, MayEndAtAnyTime) {
  const TempFolder folder;
  const ImageSet set = ImageSet::from_folder(image_folder(folder, 2, 15));
  const Epoch expected = run(set, small_options(3), 9);
  ImageLoader reused(set, small_options(3), "cpu");
  std::optional<ImageBatch> kept;
  for (int taken = 0; taken < 5; ++taken) {
    ImageLoader loader(set, small_options(3), "cpu");
    loader.begin_epoch(0);
    reused.begin_epoch(taken);
    for (int i = 0; i < taken; ++i) {
      kept = loader.next();
      EXPECT_TRUE(reused.next());
    }
  }
  EXPECT_EQ(run(reused, 9), expected);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->inputs().shape(), Shape({7, 16, 16, 3})) << "outlives its loader";
}

// The kernel of grey images and of images that are not resized gives the bytes themselves.
TEST(ImageLoaderTest, PlainInputsAreTheBytes) {
  const TempFolder folder;
  const Image image = test::random_image(12, 10, 1, 3);
  ImageLoaderOptions options = small_options(1);
  options.transform = plain(12, 10);
  options.channels = 1;
  options.padded_channels = 2;
  const Epoch epoch = run(ImageSet::from_files({folder.file("a.png", test::png_bytes(image))}), options);
  ASSERT_THAT(epoch.values, SizeIs(2 * image.pixels.size()));
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    EXPECT_FLOAT_EQ(epoch.values[2 * i], static_cast<float>(image.pixels[i]) / 255.0F);
    EXPECT_EQ(epoch.values[2 * i + 1], 0);
  }
}

// Half the size each way, so that few pixels differ by much from a full decoding resized.
TEST(ImageLoaderTest, ScaledDecodingIsNear) {
  const TempFolder folder;
  std::vector<std::filesystem::path> files;
  for (std::uint32_t i = 0; i < 4; ++i)
    files.push_back(folder.file(std::to_string(i) + ".jpg", test::jpeg_bytes(test::random_image(200, 260, 3, i))));
  ImageLoaderOptions options = small_options(2);
  options.transform = imagenet_evaluation(24);
  options.transform.mean = {0, 0, 0};
  options.transform.deviation = {1, 1, 1};
  const Epoch full = run(ImageSet::from_files(files), options);
  options.scaled_decoding = true;
  const Epoch scaled = run(ImageSet::from_files(files), options);
  EXPECT_EQ(scaled.images, full.images);
  EXPECT_NE(scaled.values, full.values);
  double sum = 0;
  for (std::size_t i = 0; i < full.values.size(); ++i)
    sum += std::abs(static_cast<double>(full.values[i] - scaled.values[i]));
  EXPECT_LT(sum / static_cast<double>(full.values.size()), 0.02);
}

}  // namespace
}  // namespace overtake
