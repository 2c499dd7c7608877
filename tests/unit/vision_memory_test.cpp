// SPDX-License-Identifier: MIT
// Steps in parts: the same step, in less memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_support.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/vision.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

ImageTrainingOptions options_with(int accumulate) {
  ImageTrainingOptions options;
  options.model = "lenet";
  options.epochs = 2;
  options.batch_size = 10;
  options.threads = 2;
  options.accumulate = accumulate;
  options.clip_grad_norm = 1;
  options.weight_decay = 1e-3;
  options.label_smoothing = 0.1;
  options.validation_share = 0.2;
  return options;
}

// The cpu's limit is the process's: it goes with the test.
class Limit {
 public:
  explicit Limit(std::uint64_t bytes) { Device("cpu").set_memory_limit(bytes); }
  ~Limit() { Device("cpu").set_memory_limit(0); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
};

void expect_near(const TrainedImageModel& one, const TrainedImageModel& other) {
  ASSERT_EQ(one.epochs.size(), other.epochs.size());
  for (std::size_t i = 0; i < one.epochs.size(); ++i) {
    EXPECT_NEAR(one.epochs[i].train_loss, other.epochs[i].train_loss, 1e-5 * one.epochs[i].train_loss);
    EXPECT_NEAR(*one.epochs[i].validation_loss, *other.epochs[i].validation_loss, 1e-5);
  }
}

TEST(VisionMemory, PartsOfAStepAddUpToIt) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 9));
  const TrainedImageModel whole = train_images(images, {}, options_with(1));
  EXPECT_EQ(whole.parts, 1);
  for (const int accumulate : {4, 10}) {  // 3 + 3 + 3 + 1, single images; the last batch of an epoch is smaller
    const TrainedImageModel parts = train_images(images, {}, options_with(accumulate));
    EXPECT_EQ(parts.parts, accumulate);
    EXPECT_LT(parts.plan_bytes, whole.plan_bytes);
    expect_near(whole, parts);
  }
  ImageTrainingOptions options = options_with(11);
  EXPECT_THROW(options.check(), UsageError);
}

TEST(VisionMemory, ALimitMakesParts) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 30));
  ImageTrainingOptions options = options_with(1);
  options.batch_size = 48;
  const TrainedImageModel whole = train_images(images, {}, options);
  const std::uint64_t held = Device("cpu").memory_held();
  ASSERT_GT(held, 0U);
  const std::uint64_t most = whole.plan_bytes * 3 / 4;
  const Limit limit(most);
  const TrainedImageModel parts = train_images(images, {}, options);
  EXPECT_GT(parts.parts, 1);
  EXPECT_LT(parts.plan_bytes, most);
  expect_near(whole, parts);
  const ImagePlan plan = plan_images(images, options, Device("cpu"), most);
  EXPECT_GT(plan.parts, 1);
  EXPECT_LT(plan.step_bytes, most);
}

TEST(VisionMemory, WhatOneImageDoesNotFitIntoIsRefused) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 4));
  const Limit limit(900 << 10);
  try {
    static_cast<void>(train_images(images, {}, options_with(1)));
    FAIL() << "it fits";
  } catch (const MemoryError& error) {
    EXPECT_THAT(error.what(), HasSubstr("limit 900.0 KiB"));
  }
}

TEST(VisionMemory, PlansDrawAndComputeNothing) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 4));
  ImageTrainingOptions options = options_with(1);
  options.model = "vgg16";
  const ImagePlan plan = plan_images(images, options, Device("cpu"), 0);
  EXPECT_EQ(plan.batch, 10);
  EXPECT_GT(plan.step_bytes, 134000000U * 4 * 2);  // weights and momentum
  EXPECT_EQ(plan.network.layers.back().output, (Shape{1, 3}));
}

}  // namespace
}  // namespace overtake::test
