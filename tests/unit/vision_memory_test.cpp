// SPDX-License-Identifier: MIT
// Steps in parts: the same step, in less memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "image_support.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/vision.hpp"

namespace overtake::test {
namespace {

using ::testing::AllOf;
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

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const MemoryError& error) {
    return std::string(error.what()) + " " + error.hint();
  }
  return "it fits";
}

TEST(VisionMemory, WhatOneImageDoesNotFitIntoIsRefused) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 4));
  ImageTrainingOptions options = options_with(1);
  const std::string all = "training lenet does not fit into the memory of cpu: 6 images take ";
  for (const std::uint64_t most : {100 << 10, 300 << 10}) {  // not even weights, not their gradients
    const Limit limit(most);
    const auto train = [&] { static_cast<void>(train_images(images, {}, options)); };
    EXPECT_THAT(message_of(train),
                AllOf(HasSubstr(all), HasSubstr(fmt::format("limit {} KiB: not one image", most >> 10))));
    const auto plan = [&] { static_cast<void>(plan_images(images, options, Device("cpu"), most)); };
    EXPECT_EQ(message_of(plan), message_of(train));
  }
}

TEST(VisionMemory, TheLargestBatchThatFitsIsNamed) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 80));
  ImageTrainingOptions options = options_with(1);
  options.epochs = 1;
  options.batch_size = 128;
  options.validation_share = 0;
  const Limit limit(900 << 10);  // parts of a step add their gradients up, for which there is no room
  const auto train = [&] { static_cast<void>(train_images(images, {}, options)); };
  const std::string message = message_of(train);
  ASSERT_THAT(message, HasSubstr("limit 900 KiB: about "));
  options.batch_size = std::stoi(message.substr(message.find(": about ") + 8));
  ASSERT_GE(options.batch_size, 1);
  EXPECT_EQ(message_of(train), "it fits");
  options.batch_size *= 4;
  EXPECT_NE(message_of(train), "it fits");
}

TEST(VisionMemory, AnswersComeInBatchesThatFit) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 40));
  ImageTrainingOptions options = options_with(1);
  options.epochs = 1;
  TrainedImageModel trained = train_images(images, {}, options);
  const auto ask = [&] {
    return classify(trained.model, images, 1, {.transform = {}, .batch_size = 80}, Device("cpu"));
  };
  const auto whole = ask();
  {
    const Limit limit(1 << 20);  // layers of all images take more
    const auto small = ask();
    ASSERT_EQ(small.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(small[i].front().label, whole[i].front().label);
  }
  const Limit limit(100 << 10);
  EXPECT_THAT(message_of([&] { static_cast<void>(ask()); }), HasSubstr("asking lenet does not fit"));
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
