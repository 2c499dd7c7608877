// SPDX-License-Identifier: MIT
// A training on images that was interrupted, at any batch, ends with the bits of one that was not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "image_support.hpp"
#include "overtake/error.hpp"
#include "overtake/vision.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

// Requests a stop after so many batches of one run.
class Stopper : public ImageTrainingObserver {
 public:
  explicit Stopper(int batches) : left_(batches) {}
  void on_batch(const Progress&, double) override {
    if (--left_ == 0) token.request();
  }
  StopToken token;

 private:
  int left_;
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// 3 classes of 6: batches of 8, 8 and 2.
ImageTrainingOptions options_of(const std::string& optimizer) {
  ImageTrainingOptions options;
  options.model = "lenet";
  options.epochs = 3;
  options.batch_size = 8;
  options.threads = 2;
  options.optimizer = optimizer;
  options.schedule = "step:1:0.5";
  options.validation_share = 0.2;
  options.seed = 7;
  return options;
}

std::string saved(const TempFolder& folder, const TrainedImageModel& trained) {
  save_image_model(folder / "saved", trained.model);
  return bytes_of(folder / "saved");
}

void expect_same_epochs(const std::vector<ImageEpoch>& one, const std::vector<ImageEpoch>& other) {
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].epoch, other[i].epoch);
    EXPECT_EQ(one[i].learning_rate, other[i].learning_rate);
    EXPECT_EQ(one[i].train_loss, other[i].train_loss);
    EXPECT_EQ(one[i].train_error, other[i].train_error);
    EXPECT_EQ(one[i].validation_loss, other[i].validation_loss);
    EXPECT_EQ(one[i].validation_error, other[i].validation_error);
  }
}

class VisionResume : public ::testing::TestWithParam<const char*> {};

TEST_P(VisionResume, EndsWithTheBitsOfATrainingInOneGo) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 7));
  const TrainedImageModel whole = train_images(images, {}, options_of(GetParam()));
  const std::string expected = saved(folder, whole);
  for (const int batches : {1, 2, 3, 4}) {  // 3: all of an epoch, but its validation
    ImageTrainingOptions options = options_of(GetParam());
    options.checkpoint_path = folder / ("checkpoint" + std::to_string(batches));
    options.resume = true;
    int runs = 0;
    TrainedImageModel trained;
    do {
      Stopper stopper(batches);
      options.observer = &stopper;
      options.stop = &stopper.token;
      trained = train_images(images, {}, options);
      ++runs;
    } while (trained.interrupted && runs < 20);
    EXPECT_GT(runs, 2);
    EXPECT_EQ(saved(folder, trained), expected) << "interrupted after each " << batches << " batches";
    expect_same_epochs(trained.epochs, whole.epochs);
    options.observer = nullptr;
    options.stop = nullptr;
    const TrainedImageModel again = train_images(images, {}, options);  // has nothing left to do
    EXPECT_EQ(again.resumed_epochs, 3);
    EXPECT_EQ(saved(folder, again), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, VisionResume, ::testing::Values("sgd", "adam"));

// Takes the folder of the checkpoints away after one epoch, and gives it back after another.
class FolderThief : public ImageTrainingObserver {
 public:
  FolderThief(std::filesystem::path folder, int gone_after, int back_after)
      : folder_(std::move(folder)), gone_after_(gone_after), back_after_(back_after) {}
  void on_epoch(const ImageEpoch& epoch) override {
    if (epoch.epoch == gone_after_) std::filesystem::rename(folder_, folder_.string() + "-away");
    if (epoch.epoch == back_after_) std::filesystem::rename(folder_.string() + "-away", folder_);
  }
  void on_checkpoint_failure(const std::string& problem) override { problems.push_back(problem); }
  std::vector<std::string> problems;

 private:
  std::filesystem::path folder_;
  int gone_after_, back_after_;
};

TEST(VisionCheckpoint, ThatCannotBeWrittenDoesNotEndTheTraining) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 4));
  ImageTrainingOptions options = options_of("sgd");
  options.epochs = 5;
  const std::string expected = saved(folder, train_images(images, {}, options));
  std::filesystem::create_directories(folder / "states");
  options.checkpoint_path = folder / "states" / "checkpoint";
  FolderThief comes_back(folder / "states", 1, 3);
  options.observer = &comes_back;
  const TrainedImageModel trained = train_images(images, {}, options);
  EXPECT_EQ(saved(folder, trained), expected);
  EXPECT_EQ(trained.checkpoint_failure, "");
  ASSERT_EQ(comes_back.problems.size(), 1U);  // of two that were not written
  EXPECT_THAT(comes_back.problems.front(), HasSubstr("checkpoint"));
  options.resume = true;
  EXPECT_EQ(train_images(images, {}, options).resumed_epochs, 5);
  options.resume = false;
  FolderThief stays_away(folder / "states", 2, 99);
  options.observer = &stays_away;
  const TrainedImageModel unsaved = train_images(images, {}, options);
  EXPECT_EQ(saved(folder, unsaved), expected);
  EXPECT_THAT(unsaved.checkpoint_failure, HasSubstr("checkpoint"));
  EXPECT_EQ(stays_away.problems.size(), 1U);
  std::filesystem::rename(folder / "states-away", folder / "states");
  options.observer = nullptr;
  options.resume = true;
  const TrainedImageModel resumed = train_images(images, {}, options);
  EXPECT_EQ(resumed.resumed_epochs, 2);
  EXPECT_EQ(saved(folder, resumed), expected);
}

// Requests a stop some time after the first batch began.
class Impatient : public ImageTrainingObserver {
 public:
  explicit Impatient(std::chrono::microseconds patience) : patience_(patience) {}
  ~Impatient() override {
    if (thread_.joinable()) thread_.join();
  }
  Impatient(const Impatient&) = delete;
  Impatient& operator=(const Impatient&) = delete;
  void on_start(std::int64_t, std::int64_t) override {
    thread_ = std::thread([this] {
      std::this_thread::sleep_for(patience_);
      token.request();
    });
  }
  StopToken token;

 private:
  std::chrono::microseconds patience_;
  std::thread thread_;
};

// Images of noise, of which a batch takes all: some tenths of a second.
ImageSet large_set(const TempFolder& folder) {
  constexpr std::uint32_t count = 2000, side = 28;
  std::mt19937 engine(std::random_device{}());
  const auto idx = [](std::initializer_list<std::uint32_t> extents) {
    std::string head = {'\0', '\0', '\x08', static_cast<char>(extents.size())};
    for (const std::uint32_t extent : extents) {
      for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(extent >> shift & 0xFFU);
    }
    return head;
  };
  std::string images = idx({count, side, side}), labels = idx({count});
  for (std::uint32_t i = 0; i < count * side * side; ++i) images += static_cast<char>(engine());
  for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(engine() % 10);
  return ImageSet::open(folder.file("images", images), folder.file("labels", labels));
}

TEST_P(VisionResume, ABatchThatIsStoppedInTheMiddleIsAsIfItHadNeverBegun) {
  const TempFolder folder;
  const ImageSet images = large_set(folder);
  ImageTrainingOptions options = options_of(GetParam());
  options.validation_share = 0;
  options.batch_size = images.size();
  options.accumulate = options.optimizer == "sgd" ? 1 : 2;
  options.epochs = 2;
  const TrainedImageModel whole = train_images(images, {}, options);
  const std::string expected = saved(folder, whole);
  options.checkpoint_path = folder / "checkpoint";
  options.epochs = 1;
  const std::string first = saved(folder, train_images(images, {}, options));
  EXPECT_NE(first, expected);
  options.epochs = 2;
  options.resume = true;
  const auto seconds = whole.epochs.back().seconds;
  for (const double share : {0.05, 0.4, 0.55, 0.7, 0.85}) {
    Impatient observer{std::chrono::microseconds(static_cast<int>(1e6 * share * seconds))};
    options.observer = &observer;
    options.stop = &observer.token;
    const TrainedImageModel stopped = train_images(images, {}, options);
    if (!stopped.interrupted || stopped.epochs.size() > 1) break;  // the batch had ended
    EXPECT_EQ(saved(folder, stopped), first) << share;
  }
  const StopToken never;  // the batch may be stopped, which must not change a bit
  options.observer = nullptr;
  options.stop = &never;
  const TrainedImageModel resumed = train_images(images, {}, options);
  EXPECT_EQ(saved(folder, resumed), expected);
  expect_same_epochs(resumed.epochs, whole.epochs);
}

TEST(VisionResumeRefusals, NameTheDifference) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 6));
  ImageTrainingOptions options = options_of("sgd");
  options.epochs = 1;
  options.checkpoint_path = folder / "checkpoint";
  static_cast<void>(train_images(images, {}, options));
  options.resume = true;
  const auto message_of = [&](const ImageSet& set, const ImageTrainingOptions& with) -> std::string {
    try {
      static_cast<void>(train_images(set, {}, with));
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  ImageTrainingOptions other = options;
  other.batch_size = 9;
  EXPECT_THAT(message_of(images, other), HasSubstr("batch size was 8, is now 9"));
  other = options;
  other.momentum = 0.5;
  EXPECT_THAT(message_of(images, other), HasSubstr("optimizer was SGD"));
  const std::int32_t few[] = {0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15};
  EXPECT_THAT(message_of(images.select(few), options), HasSubstr("training data was"));
  std::ofstream(options.checkpoint_path, std::ios::binary) << bytes_of(options.checkpoint_path).substr(0, 999);
  EXPECT_THAT(message_of(images, options), HasSubstr("checkpoint"));
  other = options;
  other.checkpoint_path.clear();
  EXPECT_THROW(other.check(), UsageError);
}

TEST(VisionResumeLoader, BeginsAnEpochAtAnyBatch) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 7));
  std::ofstream(folder / "photos" / "a" / "3.png") << "broken";
  ImageLoaderOptions options{.transform = imagenet_training(32), .batch_size = 4, .threads = 2};
  options.on_broken = OnBroken::skip;
  ImageLoader loader(images, options, Device("cpu"));
  std::vector<std::vector<float>> inputs;
  std::vector<std::int64_t> ends = {0};
  loader.begin_epoch(5);
  while (const auto batch = loader.next()) {
    inputs.push_back(batch->inputs().to_vector<float>());
    ends.push_back(batch->end);
  }
  ASSERT_EQ(inputs.size(), 4U);
  for (std::size_t from = 0; from <= inputs.size(); ++from) {
    loader.begin_epoch(5, ends[from]);
    for (std::size_t i = from; i < inputs.size(); ++i) {
      const auto batch = loader.next();
      ASSERT_TRUE(batch.has_value());
      EXPECT_EQ(batch->inputs().to_vector<float>(), inputs[i]) << from;
    }
    EXPECT_FALSE(loader.next().has_value());
  }
  EXPECT_THROW(loader.begin_epoch(0, 15), UsageError);
  EXPECT_THROW(loader.begin_epoch(0, -1), UsageError);
}

}  // namespace
}  // namespace overtake::test
